// Buttons, menus and sliders above the panels; `sync` makes them say what holds now.

class Toolbar {
  constructor(viewer) {
    this.viewer = viewer;
    this.syncs = [];
    this.bar = this.place = element("div", "toolbar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "How the film and the maps are shown");
    this.addMaps();
    this.within("Film", "window, invert, turn, magnifier", () => this.addFilm());
    this.addTools();
    this.addArrangement();
    // An open menu closes when something else is pressed.
    viewer.root.addEventListener("pointerdown", (event) => {
      for (const menu of this.bar.querySelectorAll("details")) if (!menu.contains(event.target)) menu.open = false;
    });
  }

  sync() {
    for (const one of this.syncs) one();
  }

  // Closes what is open; returns whether there was such.
  closeMenus() {
    const open = [...this.bar.querySelectorAll("details[open]")];
    for (const menu of open) menu.open = false;
    return open.length > 0;
  }

  addMaps() {
    const { viewer } = this;
    const { store } = viewer;
    this.pick("mode", "Show maps as", [
      ["overlay", "Overlay", "colours over the film (m)"], ["contour", "Contour", "line around the top 10 % of pixels (m)"],
      ["map", "Map only", "colours alone (m)"],
    ], () => store.look.mode, (mode) => viewer.look({ mode }));
    this.pick("part", "Evidence", [
      ["positive", "Positive", "what raises the finding's score (s)"],
      ["signed", "Positive and negative", "what raises and what lowers it (s)"],
    ], () => store.look.part, (part) => viewer.look({ part }));
    this.slide("Opacity", "of the strongest colour ([ and ])", () => store.look.opacity, (opacity) => viewer.look({ opacity }));
    this.flag("Outline", "reference outline on or off (o); your own drawing stays", () => store.look.outline, () => viewer.look({ outline: !store.look.outline }), () => viewer.outlines.some((one) => !one.own));
    this.within("Maps", "threshold, common scale, blink", () => {
      this.slide("Threshold", "hide what is weaker than this share of the strongest (, and .)", () => store.look.threshold, (threshold) => viewer.look({ threshold }));
      this.flag("Common scale", "one colour scale for all maps of the same unit (k); arbitrary units keep their own", () => store.common, () => store.set({ common: !store.common }));
      this.blinkMenu = this.menu("Blink", "alternate with what is seen now (b)", (value) => store.set({ blink: value }));
      this.syncs.push(() => this.syncBlink());
    });
  }

  addFilm() {
    const { viewer } = this;
    const { store } = viewer;
    this.addWindow();
    this.flag("Invert", "black for white (i)", () => store.inverted, () => store.set({ inverted: !store.inverted }));
    this.flag("Rotate left", "display only (<)", null, () => store.rotate(-1));
    this.flag("Rotate right", "display only (>)", null, () => store.rotate(1));
    this.flag("Flip across", "display only (h)", null, () => store.flip(false));
    this.flag("Flip upside down", "display only (j)", null, () => store.flip(true));
    this.flag("Magnifier", "a glass at the cursor (z)", () => store.magnified, () => store.set({ magnified: !store.magnified }));
    this.flag("Reset", "whole film, default window, not turned (0)", null, () => store.reset(viewer.given.windows.film));
  }

  addWindow() {
    const { viewer } = this;
    const menu = this.menu("Window", "which greys are told apart; or drag with the right button (1 2 3 4)", (value) => viewer.store.setWindow(...viewer.given.windows[value]));
    const names = { film: "Default", lung: "Lung", bone: "Bone", whole: "Whole range", own: "Manual" };
    for (const [value, words] of Object.entries(names)) menu.add(new Option(words, value));
    menu.options[4].disabled = true;
    this.syncs.push(() => {
      const [low, high] = viewer.store.window ?? [];
      const same = ([, [a, b]]) => Math.abs(a - low) + Math.abs(b - high) < 1e-6;
      menu.value = Object.entries(viewer.given.windows).find(same)?.[0] ?? "own";
    });
  }

  addTools() {
    const { viewer } = this;
    this.pick("tool", "Tool", [
      ["pan", "Move", "drag moves the film (v)"], ["box", "Box", "drag a box (x)"], ["polygon", "Polygon", "click corners (y)"],
      ["brush", "Brush", "paint a region (u)"], ["eraser", "Eraser", "rub out (e)"],
      ...(viewer.given.point ? [["point", "Point", "click where it is (t), or Space for the middle"]] : []), ["ruler", "Ruler", "measure a length (r)"],
      ["ratio", "CTR", "cardiothoracic ratio by hand (c)"],
    ], () => viewer.store.tool, (tool) => viewer.setTool(tool));
  }

  addArrangement() {
    const { viewer } = this;
    const menu = this.menu("Layout", "rows × columns of panels (l); double click enlarges one", (value) => viewer.setLayout(value));
    for (const [value, { words }] of Object.entries(LAYOUTS)) menu.add(new Option(words, value));
    this.syncs.push(() => { menu.value = viewer.store.layout; });
    this.flag("Full screen", "and back (f)", () => viewer.isFullScreen(), () => viewer.toggleFullScreen());
    if (viewer.given.steps) {
      this.flag("‹ Film", "previous film (p)", null, () => viewer.send("step", -1));
      this.flag("Film ›", "next film (n)", null, () => viewer.send("step", 1));
    }
    this.flag("?", "keys and mouse", () => !viewer.help.hidden, () => viewer.toggleHelp());
  }

  // A menu that opens under its name, for what `add` adds.
  within(words, hint, add) {
    const menu = this.bar.appendChild(element("details"));
    const name = menu.appendChild(text("summary", words));
    name.title = hint;
    this.place = menu.appendChild(element("div", "menu"));
    add();
    this.place = this.bar;
  }

  pick(name, label, options, get, set) {
    const group = this.place.appendChild(element("div", "group"));
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    for (const [value, words, hint] of options) {
      const made = group.appendChild(button(words, hint, () => set(value)));
      made.dataset[name] = value;
      this.syncs.push(() => made.setAttribute("aria-pressed", String(get() === value)));
    }
  }

  // A button; one that switches something on and off says so.
  flag(words, hint, get, set, enabled = () => true) {
    const made = this.place.appendChild(button(words, hint, set));
    this.syncs.push(() => {
      if (get) made.setAttribute("aria-pressed", String(get()));
      made.disabled = !enabled();
    });
  }

  slide(label, hint, get, set) {
    this.place.appendChild(slider(label, hint, { min: 0, max: 1, step: 0.05 }, get, set, this.syncs));
  }

  menu(label, hint, set) {
    const box = this.place.appendChild(element("label", "slide"));
    box.title = hint;
    box.append(label);
    const made = box.appendChild(element("select"));
    made.setAttribute("aria-label", label);
    made.addEventListener("change", () => set(made.value));
    return made;
  }

  // What can be blinked is there only once it was worked out.
  syncBlink() {
    const { store, panels, outlines } = this.viewer;
    const maps = [...panels.values()].filter((panel) => panel.map);
    const options = [["", "Off"]];
    if (outlines.some((one) => !one.own)) options.push(["outline", "Outline"]);
    if (maps.length) options.push(["film", "Film alone"]);
    if (maps.length > 1) options.push(...maps.map((panel) => [panel.id, panel.given.title]));
    const signature = JSON.stringify(options);
    if (this.blinkSignature !== signature) {
      this.blinkSignature = signature;
      this.blinkMenu.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
    }
    this.blinkMenu.value = options.some(([value]) => value === store.blink) ? store.blink : "";
  }
}

function button(words, hint, act) {
  const made = text("button", words);
  made.type = "button";
  made.title = hint;
  made.addEventListener("click", act);
  return made;
}

function slider(label, hint, range, get, set, syncs) {
  const box = element("label", "slide");
  box.title = hint;
  box.append(label);
  const input = box.appendChild(element("input"));
  Object.assign(input, { type: "range", ...range });
  input.setAttribute("aria-label", label);
  input.addEventListener("input", () => set(Number(input.value)));
  syncs.push(() => { input.value = get(); });
  return box;
}
