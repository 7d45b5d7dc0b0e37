// Mouse and touch on a panel. One finger scrolls the page, unless it draws or measures; two fingers move and zoom.

function listen(panel) {
  const { canvas, viewer } = panel;
  const { store } = viewer;
  let drag = null;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = panel.point(event);
    store.zoomAt(x, y, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
  }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", (event) => {
    event.preventDefault();
    if (viewer.hand()) viewer.region.finish();
    else viewer.enlarge(panel.id);
  });
  canvas.addEventListener("pointerdown", (event) => {
    viewer.focus();
    const windowing = event.button === 2 || (event.button === 0 && event.altKey);
    const hand = windowing ? null : viewer.hand();
    if (event.pointerType === "touch" && !hand) return;
    canvas.setPointerCapture(event.pointerId);
    if (hand && event.button === 0) hand.down(panel.point(event), panel);
    else drag = { kind: windowing ? "window" : "pan", at: event };
  });
  canvas.addEventListener("pointermove", (event) => {
    const point = panel.point(event);
    store.set({ cursor: point, over: panel });
    if (drag) {
      moved(panel, drag, event);
      drag.at = event;
    } else viewer.hand()?.move(point, panel);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      drag = null;
      viewer.hand()?.up();
    });
  }
  canvas.addEventListener("pointerleave", () => store.set({ cursor: null, over: null }));
  listenToFingers(panel);
}

function listenToFingers(panel) {
  const { canvas, viewer } = panel;
  const { store } = viewer;
  let last = null;
  const between = ([a, b]) => ({
    clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2,
    spread: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
  });
  const follow = (event) => {
    if (event.touches.length !== 2) {
      last = null;
      return;
    }
    event.preventDefault();
    const now = between(event.touches);
    if (last) {
      shiftBy(panel, last, now);
      const { x, y } = panel.point(now);
      store.zoomAt(x, y, now.spread / Math.max(last.spread, 1));
    } else viewer.hand()?.abandon();
    last = now;
  };
  for (const name of ["touchstart", "touchmove", "touchend"]) canvas.addEventListener(name, follow, { passive: false });
}

function moved(panel, drag, event) {
  const { store, given } = panel.viewer;
  if (drag.kind === "pan") {
    shiftBy(panel, drag.at, event);
    return;
  }
  const box = panel.canvas.getBoundingClientRect();
  const [low, high] = store.window ?? given.windows.film;
  const wide = (high - low) * Math.exp((1.5 * (event.clientX - drag.at.clientX)) / box.width);
  const level = (low + high) / 2 - ((event.clientY - drag.at.clientY) / box.height) * Math.max(high - low, 0.2);
  store.setWindow(level - wide / 2, level + wide / 2);
}

// Moves the film under the hand, however it is turned.
function shiftBy(panel, before, now) {
  const { place } = panel.viewer.store;
  const from = panel.point(before);
  const to = panel.point(now);
  panel.viewer.store.setPlace({ ...place, x: place.x - (to.x - from.x), y: place.y - (to.y - from.y) });
}
