// Buttons and sliders above the panels, and the help.

const KEYS = [
  ["Wheel, + and −", "zoom at the cursor"], ["Drag, arrows", "move"], ["Double click, 0", "whole film again"],
  ["Right drag (or Alt and drag)", "window (across) and level (up, down)"], ["1 2 3 4", "window: default, lung, bone, whole range"],
  ["i", "invert greys"], ["m", "overlay, contour, map only"], ["s", "positive evidence; positive and negative evidence"],
  ["[ and ]", "opacity"], [", and .", "threshold"], ["o", "expert's outline on or off"], ["b", "blink the outline"],
  ["Enter, Esc", "finish or drop a region that you draw"], ["?", "this help"],
];

function toolbar(viewer) {
  const bar = element("div", "toolbar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "How the film and the maps are shown");
  const { store } = viewer;
  const sync = [];
  const pick = (name, label, options, get, set) => {
    const group = bar.appendChild(element("div", "group"));
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    for (const [value, words, hint] of options) {
      const button = group.appendChild(text("button", words));
      button.type = "button";
      button.title = hint;
      button.dataset[name] = value;
      button.addEventListener("click", () => set(value));
      sync.push(() => button.setAttribute("aria-pressed", String(get() === value)));
    }
  };
  pick("mode", "Show", [["overlay", "Overlay", "colours over the film (m)"], ["contour", "Contour", "line around the top 10 % of pixels (m)"], ["map", "Map only", "colours alone (m)"]],
    () => store.look.mode, (mode) => viewer.look({ mode }));
  pick("part", "Evidence", [["positive", "Positive", "what raises the finding's score (s)"], ["signed", "Positive and negative", "what raises and what lowers it (s)"]],
    () => store.look.part, (part) => viewer.look({ part }));
  const slide = (label, hint, get, set) => {
    const box = bar.appendChild(element("label", "slide"));
    box.title = hint;
    box.append(label);
    const input = box.appendChild(element("input"));
    Object.assign(input, { type: "range", min: 0, max: 1, step: 0.05 });
    input.setAttribute("aria-label", label);
    input.addEventListener("input", () => set(Number(input.value)));
    sync.push(() => { input.value = get(); });
  };
  slide("Opacity", "of the strongest colour ([ and ])", () => store.look.opacity, (opacity) => viewer.look({ opacity }));
  slide("Threshold", "hide what is weaker than this share of the strongest (, and .)", () => store.look.threshold, (threshold) => viewer.look({ threshold }));
  const flag = (label, hint, get, set, enabled = () => true) => {
    const button = bar.appendChild(text("button", label));
    button.type = "button";
    button.title = hint;
    button.addEventListener("click", set);
    sync.push(() => { button.setAttribute("aria-pressed", String(get())); button.disabled = !enabled(); });
  };
  flag("Outline", "what an expert outlined (o)", () => store.look.outline, () => viewer.look({ outline: !store.look.outline }), () => viewer.outlines.length > 0);
  flag("Blink", "blink the outline (b)", () => store.look.blink, () => viewer.look({ blink: !store.look.blink, outline: true }), () => viewer.outlines.length > 0);
  windowMenu(bar, viewer, sync);
  flag("Invert", "black for white (i)", () => store.inverted, () => { store.inverted = !store.inverted; store.changed(); });
  pick("tool", "Draw a region", [["pan", "Move", "drag moves the film"], ["box", "Box", "drag a box"], ["polygon", "Polygon", "click corners, double click ends"], ["brush", "Brush", "paint, Enter ends"]],
    () => store.tool, (tool) => viewer.setTool(tool));
  flag("?", "keys and mouse", () => !viewer.help.hidden, () => viewer.toggleHelp());
  return { bar, sync: () => sync.forEach((one) => one()) };
}

function windowMenu(bar, viewer, sync) {
  const box = bar.appendChild(element("label", "slide"));
  box.title = "which greys are told apart; or drag with the right button";
  box.append("Window");
  const menu = box.appendChild(element("select"));
  menu.setAttribute("aria-label", "Window");
  const names = { film: "Default", lung: "Lung", bone: "Bone", whole: "Whole range", own: "Manual" };
  for (const [value, words] of Object.entries(names)) menu.add(new Option(words, value));
  menu.options[4].disabled = true;
  menu.addEventListener("change", () => viewer.store.setWindow(...viewer.given.windows[menu.value]));
  sync.push(() => {
    const [low, high] = viewer.store.window ?? [];
    const same = ([, [a, b]]) => Math.abs(a - low) + Math.abs(b - high) < 1e-6;
    menu.value = Object.entries(viewer.given.windows).find(same)?.[0] ?? "own";
  });
}

function helpBox() {
  const box = element("div", "help");
  box.hidden = true;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", "Keys and mouse");
  box.appendChild(text("strong", "Keys and mouse"));
  const list = box.appendChild(element("dl"));
  for (const [key, words] of KEYS) list.append(text("dt", key), text("dd", words));
  return box;
}
