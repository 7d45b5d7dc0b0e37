// The line under the toolbar: what the tool in hand does, and its own controls. It stands there always, so nothing jumps.

const HINTS = {
  box: "Drag a box; it counts when you let go.",
  polygon: "Click corners, drag one to move it. Enter ends it, Esc drops it.",
  brush: "Paint, on a polygon too. Enter ends it, Esc drops it.",
  point: "Click where it is; click again to move the point.",
  eraser: "Rub out what you painted. Enter ends it, Esc drops it.",
};

class StatusLine {
  constructor(viewer) {
    this.viewer = viewer;
    this.syncs = [];
    this.root = element("div", "status");
    this.words = this.root.appendChild(element("span", "hint"));
    this.words.setAttribute("role", "status");
    const { region, store } = viewer;
    this.brush = this.root.appendChild(slider("Brush size", "radius ({ and })", { min: BRUSH.least, max: BRUSH.most, step: 0.002 }, () => store.brush, (size) => viewer.setBrush(size), this.syncs));
    this.regionButtons = [
      ["Undo", "the last stroke, point or region (Ctrl+Z)", () => region.undo()], ["Redo", "(Ctrl+Y)", () => region.redo()],
      ["Finish", "the region counts (Enter)", () => region.finish()], ["Drop", "forget it (Esc)", () => viewer.dropRegion()],
    ].map(([words, hint, act]) => this.root.appendChild(button(words, hint, act)));
    this.clear = this.root.appendChild(button("Clear measurements", "all of them", () => store.set({ measures: [] })));
    this.pages = ["‹ Panels", "Panels ›"].map((words, i) => this.root.appendChild(button(words, i ? "next (PageDown)" : "previous (PageUp)", () => viewer.turnPage(i ? 1 : -1))));
    this.back = this.root.appendChild(button("All panels", "leave the enlarged one (double click, Esc)", () => viewer.enlarge(null)));
  }

  sync() {
    for (const one of this.syncs) one();
    const { viewer } = this;
    const { store, region } = viewer;
    const drawing = REGION_TOOLS.includes(store.tool);
    const measuring = MEASURE_TOOLS.includes(store.tool);
    this.words.textContent = this.hint(measuring);
    this.brush.hidden = !["brush", "eraser"].includes(store.tool);
    for (const made of this.regionButtons) made.hidden = !drawing && !region.dirty();
    this.regionButtons[2].disabled = this.regionButtons[3].disabled = !region.dirty();
    this.clear.hidden = !measuring && !store.measures.length;
    this.clear.disabled = !store.measures.length;
    const paged = viewer.shownIds().length < viewer.panels.size;
    for (const made of this.pages) made.hidden = !paged;
    this.back.hidden = !viewer.enlarged;
  }

  hint(measuring) {
    const { store, panels, region } = this.viewer;
    if (measuring) return this.viewer.measures.words();
    if (HINTS[store.tool]) return HINTS[store.tool];
    if (region.dirty()) return "A region is under way: Enter ends it, Esc drops it.";
    const shown = this.viewer.shownIds();
    if (shown.length < panels.size) return `${shown.map((id) => panels.get(id).given.title).join(", ")}: ${shown.length} of ${panels.size} panels.`;
    return "Double click a panel to enlarge it. ? shows all keys.";
  }
}
