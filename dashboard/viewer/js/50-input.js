// Mouse, touch and keyboard on a panel.

const PRESETS = { 1: "film", 2: "lung", 3: "bone", 4: "whole" };

function listen(panel) {
  const { canvas, viewer } = panel;
  const { store } = viewer;
  const fingers = new Map();
  let drag = null;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = panel.point(event);
    store.zoomAt(x, y, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
  }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", (event) => {
    if (viewer.region.active()) viewer.region.finish();
    else store.reset(viewer.given.windows.film);
    event.preventDefault();
  });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    viewer.focus();
    const windowing = event.button === 2 || (event.button === 0 && event.altKey);
    if (!windowing && event.button === 0 && viewer.region.down(panel.point(event))) return;
    drag = { kind: windowing ? "window" : "pan", x: event.clientX, y: event.clientY, spread: spread(fingers) };
  });
  canvas.addEventListener("pointermove", (event) => {
    const point = panel.point(event);
    store.cursor = point;
    store.over = panel;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event);
    if (viewer.region.move(point)) {
      store.changed();
    } else if (drag && fingers.size === 2) {
      const wide = spread(fingers);
      store.zoomAt(point.x, point.y, wide / (drag.spread || wide));
      drag.spread = wide;
    } else if (drag) {
      moved(panel, drag, event.clientX - drag.x, event.clientY - drag.y);
      drag = { ...drag, x: event.clientX, y: event.clientY };
    } else store.changed();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      drag = null;
      viewer.region.up(panel.point(event));
    });
  }
  canvas.addEventListener("pointerleave", () => {
    store.cursor = store.over = null;
    store.changed();
  });
}

function spread(fingers) {
  const [a, b] = [...fingers.values()];
  return a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
}

function moved(panel, drag, dx, dy) {
  const { store, given } = panel.viewer;
  const box = panel.canvas.getBoundingClientRect();
  if (drag.kind === "pan") {
    const { place } = store;
    store.setPlace({ ...place, x: place.x - dx / box.width / place.zoom, y: place.y - dy / box.height / place.zoom });
    return;
  }
  const [low, high] = store.window ?? given.windows.film;
  const wide = (high - low) * Math.exp((1.5 * dx) / box.width);
  const level = (low + high) / 2 - (dy / box.height) * Math.max(high - low, 0.2);
  store.setWindow(level - wide / 2, level + wide / 2);
}

// Returns whether the key meant something here.
function onKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.target.matches?.("input, select, textarea")) return false;
  const { store, given } = viewer;
  const { place, look } = store;
  const step = 0.08 / place.zoom;
  const shift = (x, y) => store.setPlace({ ...place, x: place.x + x * step, y: place.y + y * step });
  const keys = {
    "+": () => store.zoomAt(place.x, place.y, 1.25), "=": () => store.zoomAt(place.x, place.y, 1.25),
    "-": () => store.zoomAt(place.x, place.y, 0.8), 0: () => store.reset(given.windows.film),
    ArrowLeft: () => shift(-1, 0), ArrowRight: () => shift(1, 0), ArrowUp: () => shift(0, -1), ArrowDown: () => shift(0, 1),
    i: () => { store.inverted = !store.inverted; store.changed(); },
    m: () => viewer.look({ mode: next(["overlay", "contour", "map"], look.mode) }),
    s: () => viewer.look({ part: next(["positive", "signed"], look.part) }),
    o: () => viewer.look({ outline: !look.outline }), b: () => viewer.look({ blink: !look.blink, outline: true }),
    "[": () => viewer.look({ opacity: clamp(look.opacity - 0.1, 0, 1) }), "]": () => viewer.look({ opacity: clamp(look.opacity + 0.1, 0, 1) }),
    ",": () => viewer.look({ threshold: clamp(look.threshold - 0.05, 0, 1) }), ".": () => viewer.look({ threshold: clamp(look.threshold + 0.05, 0, 1) }),
    Enter: () => viewer.region.finish(), Escape: () => viewer.escape(), "?": () => viewer.toggleHelp(),
  };
  const wanted = keys[event.key] ?? (PRESETS[event.key] && (() => store.setWindow(...given.windows[PRESETS[event.key]])));
  if (!wanted) return false;
  wanted();
  return true;
}

function next(values, value) {
  return values[(values.indexOf(value) + 1) % values.length];
}
