// One panel: title, canvas, readout, colour bar, note.

const OUTLINE = "#40ffb0";
const CONTOUR = "#ffb040";
const DRAWN = "#ffe14d";

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
    this.showState(given);
    if (!given.map) this.map = null;
    else if (given.map.url !== this.url) this.load(given.map);
    this.url = given.map?.url;
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
  }

  async load(map) {
    try {
      const pixels = await fetchPixels(map.url);
      if (this.url !== map.url) return;
      this.map = new HeatMap(pixels, map, this.viewer.colours);
      this.viewer.store.changed();
    } catch (error) {
      this.showState({ state: "failed", words: `This map did not arrive: ${error.message}` });
    }
  }

  // Screen pixels across the film's width, and where its top left corner lies.
  geometry() {
    const { place } = this.viewer.store;
    const width = this.canvas.width * place.zoom;
    const height = this.canvas.height * place.zoom;
    return { width, height, left: this.canvas.width / 2 - place.x * width, top: this.canvas.height / 2 - place.y * height };
  }

  // Shares of the film under a pointer event.
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const { place } = this.viewer.store;
    return {
      x: place.x + ((event.clientX - box.left) / box.width - 0.5) / place.zoom,
      y: place.y + ((event.clientY - box.top) / box.height - 0.5) / place.zoom,
    };
  }

  resize() {
    const width = Math.round(this.stage.clientWidth * Math.min(window.devicePixelRatio || 1, 2));
    const height = Math.round((width * this.viewer.film.height) / this.viewer.film.width);
    if (width > 0 && (this.canvas.width !== width || this.canvas.height !== height)) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
  }

  draw() {
    const { store, film } = this.viewer;
    this.resize();
    const context = this.canvas.getContext("2d");
    const { width, height, left, top } = this.geometry();
    const { look } = store;
    const grey = film.canvasFor(width, store.window ?? WHOLE, store.inverted);
    this.lay(context, grey, left, top, width, height, true);
    const scale = this.map?.scale(look.part);
    this.root.toggleAttribute("data-map", Boolean(this.map));
    if (this.map && look.mode !== "contour") {
      const colours = this.map.canvas(look);
      if (colours) this.lay(context, colours, left, top, width, height, true);
    } else if (this.map) {
      this.line(context, this.map.contour(look.threshold), CONTOUR, left, top, width, height);
    }
    if (look.outline && (!look.blink || store.blinkOn)) {
      for (const path of this.viewer.outlines) this.line(context, path, OUTLINE, left, top, width, height);
    }
    this.viewer.region.draw(this, context, left, top, width, height);
    this.crosshair(context, left, top, width, height);
    this.scaleBar(context, width);
    this.drawBar(scale);
    this.readout.textContent = this.words();
  }

  lay(context, picture, left, top, width, height) {
    context.imageSmoothingEnabled = true;
    const x0 = clamp(-left / width, 0, 1);
    const y0 = clamp(-top / height, 0, 1);
    const x1 = clamp((this.canvas.width - left) / width, 0, 1);
    const y1 = clamp((this.canvas.height - top) / height, 0, 1);
    context.drawImage(
      picture, x0 * picture.width, y0 * picture.height, (x1 - x0) * picture.width, (y1 - y0) * picture.height,
      left + x0 * width, top + y0 * height, (x1 - x0) * width, (y1 - y0) * height,
    );
  }

  line(context, path, colour, left, top, width, height) {
    if (!path) return;
    context.save();
    const scaled = new Path2D();
    scaled.addPath(path, new DOMMatrix([width, 0, 0, height, left, top]));
    const thick = Math.max(1.6, this.canvas.width / 260);
    context.lineCap = "round";
    for (const [style, wide] of [["rgba(0,0,0,.65)", 2.2 * thick], [colour, thick]]) {
      context.strokeStyle = style;
      context.lineWidth = wide;
      context.stroke(scaled);
    }
    context.restore();
  }

  crosshair(context, left, top, width, height) {
    const { cursor } = this.viewer.store;
    if (!cursor || this.viewer.store.over === this) return;
    const x = left + cursor.x * width;
    const y = top + cursor.y * height;
    context.strokeStyle = "rgba(255,255,255,.85)";
    context.lineWidth = 1;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 14 * dx, y + 14 * dy);
    }
    context.stroke();
  }

  scaleBar(context, width) {
    const millimetres = this.viewer.given.film.width_mm;
    if (!millimetres) return;
    const perMm = width / millimetres;
    const length = [1, 2, 5, 10, 20, 50, 100].findLast((mm) => mm * perMm < this.canvas.width / 3) ?? 1;
    const y = this.canvas.height - 10;
    context.fillStyle = "rgba(0,0,0,.55)";
    context.fillRect(6, y - 18, length * perMm + 8, 24);
    context.fillStyle = "#fff";
    context.fillRect(10, y, length * perMm, 2);
    context.font = `${Math.round(11 * Math.min(window.devicePixelRatio || 1, 2))}px sans-serif`;
    context.fillText(`${length} mm`, 10, y - 4);
  }

  drawBar(scale) {
    this.bar.hidden = !scale || this.viewer.store.look.mode === "contour";
    if (this.bar.hidden) return;
    const signature = `${scale.low} ${scale.high}`;
    if (this.barSignature === signature) return;
    this.barSignature = signature;
    this.barCanvas.width = 256;
    this.barCanvas.height = 1;
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(scale.colours.map((colour) => 0xff000000 | colour));
    this.barCanvas.getContext("2d").putImageData(image, 0, 0);
    this.ends.replaceChildren(...[scale.low, scale.high].map((end) => text("span", short(end))));
  }

  words() {
    const { cursor } = this.viewer.store;
    if (!cursor || cursor.x < 0 || cursor.y < 0 || cursor.x > 1 || cursor.y > 1) return "";
    const parts = [`film ${this.viewer.film.valueAt(cursor.x, cursor.y).toFixed(3)}`];
    if (this.map) parts.push(`map ${short(this.map.valueAt(cursor.x, cursor.y))}`);
    const under = this.viewer.labelsAt(cursor.x, cursor.y);
    if (under) parts.push(under);
    return parts.join(" · ");
  }
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
