// One panel: title, canvas, what stands on the canvas in words, readout, colour bar, note.

const LOADING = { state: "loading", words: "Loading the map" };
const LATE_MS = 500;

class Panel {
  constructor(viewer, id) {
    this.viewer = viewer;
    this.id = id;
    this.map = null;
    this.root = element("figure", "panel");
    this.title = this.root.appendChild(element("figcaption", "title"));
    this.stage = this.root.appendChild(element("div", "stage"));
    this.canvas = this.stage.appendChild(element("canvas"));
    this.canvas.setAttribute("role", "img");
    this.marks = {};
    for (const name of ["right", "left", "turned", "values"]) {
      this.marks[name] = this.stage.appendChild(element("span", `mark ${name}`));
    }
    this.marks.right.title = this.marks.left.title = "By the convention of frontal films: the patient's right on the film's left.";
    this.veil = this.stage.appendChild(element("div", "veil"));
    this.readout = this.root.appendChild(element("div", "readout"));
    this.bar = this.root.appendChild(element("div", "bar"));
    this.barCanvas = this.bar.appendChild(element("canvas"));
    this.ends = this.bar.appendChild(element("div", "ends"));
    this.note = this.root.appendChild(element("div", "note"));
    this.canvas.width = this.canvas.height = 0;
    listen(this);
  }

  update(given) {
    this.given = given;
    this.title.textContent = given.title;
    this.title.title = given.help ?? "";
    this.canvas.setAttribute("aria-label", given.alt);
    this.note.textContent = given.note ?? "";
    this.bar.hidden = !given.map;
    this.early = Boolean(given.map) && given.state === "running";
    if (!given.map) {
      this.map = null;
      this.late = false;
    } else if (given.map.url !== this.url) this.load(given.map);
    this.url = given.map?.url;
    this.showState(this.late ? LOADING : given);
  }

  showState({ state, share, words }) {
    const waiting = state !== "done";
    this.veil.hidden = !waiting && !words;
    this.veil.className = state === "failed" ? "veil failed" : waiting ? "veil" : "veil words";
    this.veil.replaceChildren();
    if (state === "running" || state === "queued") {
      const bar = this.veil.appendChild(element("progress"));
      bar.max = 1;
      bar.value = share ?? 0;
      bar.setAttribute("aria-label", `${this.given.title}: ${words}`);
    }
    this.veil.appendChild(element("span")).textContent = words ?? "";
    this.veil.classList.toggle("early", this.early && state === "running");
  }

  // A film without its map must not look like a film on which the map is empty.
  async load(map) {
    this.late = false;
    const timer = setTimeout(() => {
      if (this.url !== map.url || (this.early && this.map)) return;
      this.late = true;
      this.showState(LOADING);
    }, LATE_MS);
    let state = null;
    let loaded = null;
    try {
      loaded = new HeatMap(await fetchPixels(map.url), map, this.viewer.colours, this.given.unit);
    } catch (error) {
      state = { state: "failed", words: `This map did not arrive: ${error.message}` };
    }
    clearTimeout(timer);
    if (this.url !== map.url) return;
    this.late = false;
    this.map = loaded;
    if (!loaded) this.url = null; // the next update asks again
    this.showState(state ?? this.given);
    this.viewer.store.changed();
  }

  // From shares of the film to canvas pixels: the whole film fits the canvas at zoom 1.
  matrix() {
    const { store, film } = this.viewer;
    const { width, height } = this.canvas;
    const across = store.turn % 2 ? film.height : film.width;
    const down = store.turn % 2 ? film.width : film.height;
    const fit = Math.min(width / across, height / down) * store.place.zoom;
    return new DOMMatrix()
      .translateSelf(width / 2, height / 2)
      .scaleSelf(store.flipped ? -1 : 1, 1)
      .rotateSelf(90 * store.turn)
      .scaleSelf(fit * film.width, fit * film.height)
      .translateSelf(-store.place.x, -store.place.y);
  }

  // Canvas pixels under a pointer or touch.
  onCanvas({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((clientX - box.left) / box.width) * this.canvas.width, y: ((clientY - box.top) / box.height) * this.canvas.height };
  }

  // Shares of the film under a pointer or touch.
  point(event) {
    return through(this.matrix().inverse(), this.onCanvas(event));
  }

  // Stage and canvas get the film's shape, but no more than `most` CSS pixels of height.
  resize(most) {
    const { film, store } = this.viewer;
    const aspect = store.turn % 2 ? film.width / film.height : film.height / film.width;
    const wide = this.stage.clientWidth;
    const tall = Math.min(wide * aspect, most);
    if (!(wide > 0)) return;
    this.stage.style.height = `${tall}px`;
    const width = Math.round(wide * pixelRatio());
    const height = Math.round(tall * pixelRatio());
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
  }

  // The map drawn at this moment: another panel's, or none, while two are blinked.
  shownMap() {
    const { store, panels } = this.viewer;
    if (!this.map || store.blinkOn || !store.blink || store.blink === "outline") return this.map;
    return store.blink === "film" ? null : (panels.get(store.blink)?.map ?? this.map);
  }

  draw() {
    const { store } = this.viewer;
    this.resize(this.viewer.tallest);
    const context = this.canvas.getContext("2d");
    const matrix = this.matrix();
    const map = this.shownMap();
    this.root.toggleAttribute("data-map", Boolean(this.map) && !this.early);
    this.root.toggleAttribute("data-early", Boolean(this.map) && this.early);
    paint(this, context, matrix, map);
    this.viewer.region.draw(this, context, matrix);
    this.viewer.measures.draw(this, context, matrix);
    if (store.cursor && store.over !== this) crosshair(context, through(matrix, store.cursor));
    if (store.magnified && store.cursor) magnifier(this, context, matrix, map);
    scaleBar(this, context, matrix);
    this.drawBar(map?.scale(store.look.part, this.viewer.commonTop(map)));
    this.drawMarks(matrix, map);
    this.readout.replaceChildren(...this.words().map((line) => text("div", line)));
  }

  drawBar(scale) {
    this.bar.hidden = !this.map;
    this.bar.style.visibility = scale && this.viewer.store.look.mode !== "contour" ? "visible" : "hidden";
    if (!scale) return;
    const signature = `${scale.low} ${scale.high}`;
    if (this.barSignature === signature) return;
    this.barSignature = signature;
    this.barCanvas.width = 256;
    this.barCanvas.height = 1;
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(scale.colours.map((colour) => 0xff000000 | colour));
    this.barCanvas.getContext("2d").putImageData(image, 0, 0);
    this.ends.replaceChildren(text("span", short(scale.low)), text("span", this.given.unit ?? ""), text("span", short(scale.high)));
  }

  // Side markers, how the film is turned, and window, level and zoom.
  drawMarks(matrix, map) {
    const { store, given } = this.viewer;
    const edge = edgeOf(-matrix.a, -matrix.b);
    this.marks.right.textContent = given.film.sides ? "R" : "";
    this.marks.left.textContent = given.film.sides ? "L" : "";
    this.marks.right.dataset.edge = edge;
    this.marks.left.dataset.edge = OPPOSITE[edge];
    const [low, high] = store.window ?? WHOLE;
    const zoom = Math.round(100 * store.place.zoom);
    this.marks.values.textContent = `W ${(high - low).toFixed(2)} L ${((low + high) / 2).toFixed(2)} · ${zoom} %`;
    const turned = [store.turn && `rotated ${90 * store.turn}°`, store.flipped && "flipped", store.inverted && "inverted"].filter(Boolean);
    const blinked = this.map && !store.blinkOn && map !== this.map ? (map ? this.viewer.panels.get(store.blink).given.title : "film alone") : "";
    this.marks.turned.textContent = blinked || (turned.length ? `${turned.join(", ")}: display only` : "");
  }

  // Two lines: the place and the film's grey there, then the map's value and what is outlined.
  words() {
    const { film, store, given } = this.viewer;
    const at = store.cursor;
    if (!at || at.x < 0 || at.y < 0 || at.x > 1 || at.y > 1) return [];
    const [rows, columns] = given.film.shape;
    const row = Math.min(rows, Math.floor(at.y * rows) + 1);
    const column = Math.min(columns, Math.floor(at.x * columns) + 1);
    const value = this.map && `map ${short(this.map.valueAt(at.x, at.y))} ${this.given.unit ?? ""}`.trim();
    return [`row ${row}, column ${column} · film ${film.valueAt(at.x, at.y).toFixed(3)} of 1`,
      [value, this.viewer.labelsAt(at.x, at.y)].filter(Boolean).join(" · ")];
  }
}

const OPPOSITE = { left: "right", right: "left", top: "bottom", bottom: "top" };

function edgeOf(x, y) {
  if (Math.abs(x) >= Math.abs(y)) return x < 0 ? "left" : "right";
  return y < 0 ? "top" : "bottom";
}

function through(matrix, { x, y }) {
  const made = matrix.transformPoint(new DOMPoint(x, y));
  return { x: made.x, y: made.y };
}

function pixelRatio() {
  return Math.min(window.devicePixelRatio || 1, 2);
}

function element(name, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}

function text(name, words, className) {
  const made = element(name, className);
  made.textContent = words;
  return made;
}

// Three figures, without a tail of zeros.
function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.01 && size < 10000 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}
