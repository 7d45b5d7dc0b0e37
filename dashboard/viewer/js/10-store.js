// What all panels of one film share: place, window, and how maps are drawn. Viewers of the same film are linked.

const WHOLE = [0, 1];
const ZOOM = { least: 1, most: 40 };
const BRUSH = { least: 0.004, most: 0.08 };

class Store {
  constructor() {
    this.place = { x: 0.5, y: 0.5, zoom: 1 };
    this.turn = 0; // quarter turns clockwise
    this.flipped = false; // left for right, after turning
    this.window = null;
    this.inverted = false;
    this.look = { mode: "overlay", part: "positive", opacity: 0.7, threshold: 0, outline: true };
    this.common = false; // one colour scale for maps of the same unit
    this.blink = ""; // "", "outline", "film" or the id of the panel whose map is shown every other moment
    this.blinkOn = true;
    this.magnified = false;
    this.layout = "auto";
    this.cursor = null;
    this.tool = "pan";
    this.brush = 0.02; // radius, as a share of the film's width
    this.measures = [];
    this.listeners = new Set();
    this.frame = 0;
  }

  // One redraw a frame, however many changes arrive.
  changed() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const listener of [...this.listeners]) listener();
    });
  }

  set(change) {
    Object.assign(this, change);
    this.changed();
  }

  setPlace(place) {
    const zoom = clamp(place.zoom, ZOOM.least, ZOOM.most);
    const reach = 0.5 / zoom;
    this.set({ place: { zoom, x: clamp(place.x, reach, 1 - reach), y: clamp(place.y, reach, 1 - reach) } });
  }

  // Zooms so that the point (x, y), in shares of the film, stays where it is.
  zoomAt(x, y, factor) {
    const zoom = clamp(this.place.zoom * factor, ZOOM.least, ZOOM.most);
    const ratio = this.place.zoom / zoom;
    this.setPlace({ zoom, x: x + (this.place.x - x) * ratio, y: y + (this.place.y - y) * ratio });
  }

  setWindow(low, high) {
    const middle = (low + high) / 2;
    const half = Math.max((high - low) / 2, 1 / 512);
    this.set({ window: [middle - half, middle + half] });
  }

  setLook(change) {
    Object.assign(this.look, change);
    this.changed();
  }

  // A quarter turn as the eye sees it: clockwise for 1.
  rotate(quarter) {
    this.set({ turn: (this.turn + (this.flipped ? -quarter : quarter) + 4) % 4 });
  }

  flip(upsideDown) {
    this.set({ flipped: !this.flipped, turn: upsideDown ? (this.turn + 2) % 4 : this.turn });
  }

  reset(window) {
    this.set({ place: { x: 0.5, y: 0.5, zoom: 1 }, window, inverted: false, turn: 0, flipped: false });
  }
}

function storeOf(film) {
  const stores = (window.lightboxStores ??= new Map());
  if (!stores.has(film)) {
    if (stores.size > 8) stores.delete(stores.keys().next().value);
    stores.set(film, new Store());
  }
  return stores.get(film);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
