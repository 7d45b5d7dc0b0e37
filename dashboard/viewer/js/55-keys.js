// The keyboard, and the help that lists it.

const PRESETS = { 1: "film", 2: "lung", 3: "bone", 4: "whole" };
const TOOLS = { v: "pan", x: "box", y: "polygon", u: "brush", e: "eraser", r: "ruler", c: "ratio" };
const KEYS = [
  ["Looking", [
    ["Wheel, + and −", "zoom at the cursor"], ["Drag, arrows", "move; two fingers on a tablet"],
    ["Double click, Enter", "enlarge a panel, and back"], ["0", "reset view and window"],
    ["Right drag, Alt and drag", "window (across) and level (up, down)"], ["1 2 3 4", "window: default, lung, bone, whole range"],
    ["i", "invert greys"], ["z", "magnifier"], ["< and >", "rotate left, right (display only)"], ["h, j", "flip across, upside down (display only)"],
  ]],
  ["Maps", [
    ["m", "overlay, contour, map only"], ["s", "positive, or positive and negative evidence"], ["[ and ]", "opacity"], [", and .", "threshold"],
    ["k", "common colour scale for maps of one unit"], ["o", "reference outline on or off"], ["b", "blink on or off"],
  ]],
  ["Panels and films", [
    ["l", "next layout"], ["PageUp, PageDown", "other panels"], ["f", "full screen"], ["p, n", "previous, next film"],
  ]],
  ["Drawing and measuring", [
    ["x y u e", "box, polygon, brush, eraser"], ["r, c", "ruler, cardiothoracic ratio"], ["v", "move again"],
    ["Enter, Esc", "finish a region, drop it"], ["{ and }", "brush smaller, larger"],
    ["t, Space", "in a reader study: point by a click, or at the middle of what is seen"],
    ["Ctrl+Z, Ctrl+Y", "undo, redo: a stroke, a point, a finished region"], ["Delete", "remove the point or measurement touched last"],
  ]],
];

// Returns whether the key meant something here.
function onKey(viewer, event) {
  if (event.target.matches?.("input, select, textarea")) return false;
  if (event.target.matches?.("button, summary") && [" ", "Enter"].includes(event.key)) return false;
  const wanted = event.ctrlKey || event.metaKey ? withControl(viewer)[event.key.toLowerCase()] : plainKeys(viewer)[event.key];
  if (!wanted) return false;
  wanted();
  return true;
}

function withControl({ region }) {
  return { z: () => region.undo(), y: () => region.redo() };
}

function plainKeys(viewer) {
  const { store, given, region } = viewer;
  const { place, look } = store;
  const films = given.steps ? { n: () => viewer.send("step", 1), p: () => viewer.send("step", -1) } : {};
  const pointing = given.point ? { t: () => viewer.setTool("point"), " ": () => region.point(place) } : {};
  const presets = Object.entries(PRESETS).map(([key, name]) => [key, () => store.setWindow(...given.windows[name])]);
  const tools = Object.entries(TOOLS).map(([key, tool]) => [key, () => viewer.setTool(tool)]);
  const more = (name, by) => viewer.look({ [name]: clamp(look[name] + by, 0, 1) });
  return {
    ...films, ...pointing, ...Object.fromEntries([...presets, ...tools]), ...moving(viewer),
    "+": () => store.zoomAt(place.x, place.y, 1.25), "=": () => store.zoomAt(place.x, place.y, 1.25),
    "-": () => store.zoomAt(place.x, place.y, 0.8), 0: () => store.reset(given.windows.film),
    i: () => store.set({ inverted: !store.inverted }), z: () => store.set({ magnified: !store.magnified }),
    "<": () => store.rotate(-1), ">": () => store.rotate(1), h: () => store.flip(false), j: () => store.flip(true),
    m: () => viewer.look({ mode: next(["overlay", "contour", "map"], look.mode) }),
    s: () => viewer.look({ part: next(["positive", "signed"], look.part) }),
    k: () => store.set({ common: !store.common }), o: () => viewer.look({ outline: !look.outline }), b: () => viewer.toggleBlink(),
    "[": () => more("opacity", -0.1), "]": () => more("opacity", 0.1), ",": () => more("threshold", -0.05), ".": () => more("threshold", 0.05),
    "{": () => viewer.setBrush(store.brush / 1.3), "}": () => viewer.setBrush(store.brush * 1.3),
    l: () => viewer.setLayout(next(Object.keys(LAYOUTS), store.layout)), f: () => viewer.toggleFullScreen(),
    PageDown: () => viewer.turnPage(1), PageUp: () => viewer.turnPage(-1),
    Enter: () => (region.dirty() ? region.finish() : viewer.enlarge(store.over?.id ?? viewer.enlarged ?? viewer.shownIds()[0])),
    Delete: () => viewer.hand()?.removeLast(), Backspace: () => viewer.hand()?.removeLast(),
    Escape: () => viewer.escape(), "?": () => viewer.toggleHelp(),
  };
}

// Arrows move what is seen, as the eye sees it, however the film is turned.
function moving({ store }) {
  const step = 0.08 / store.place.zoom;
  const shift = (right, down) => () => {
    const turned = new DOMMatrix().scaleSelf(store.flipped ? -1 : 1, 1).rotateSelf(90 * store.turn).inverse();
    const { x, y } = through(turned, { x: right * step, y: down * step });
    store.setPlace({ ...store.place, x: store.place.x + x, y: store.place.y + y });
  };
  return { ArrowLeft: shift(-1, 0), ArrowRight: shift(1, 0), ArrowUp: shift(0, -1), ArrowDown: shift(0, 1) };
}

function next(values, value) {
  return values[(values.indexOf(value) + 1) % values.length];
}

function helpBox(close) {
  const box = element("div", "help");
  box.hidden = true;
  box.tabIndex = -1;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", "Keys and mouse");
  const head = box.appendChild(element("div", "head"));
  head.append(text("strong", "Keys and mouse"), button("Close", "Esc", close));
  for (const [heading, keys] of KEYS) {
    const part = box.appendChild(element("section"));
    part.appendChild(text("h4", heading));
    const list = part.appendChild(element("dl"));
    for (const [key, words] of keys) list.append(text("dt", key), text("dd", words));
  }
  return box;
}
