// A region that a person draws: box, or polygon, brush and eraser together; sent as a PNG mask when it is finished.

const LONGEST_MASK = 1024;
const REGION_TOOLS = ["box", "polygon", "brush", "eraser", "point"];
const NEAR = 10; // CSS pixels within which a point is taken hold of

class Region {
  constructor(viewer) {
    this.viewer = viewer;
    this.clear();
  }

  clear() {
    this.points = [];
    this.strokes = [];
    this.past = [];
    this.future = [];
    this.holding = null; // number of the corner under the hand, or "stroke" or "box"
    this.last = null; // number of the corner touched last
  }

  dirty() {
    return this.points.length + this.strokes.length > 0;
  }

  // Called before each change, so that it can be undone.
  remember() {
    this.past.push(this.snapshot());
    this.future = [];
  }

  snapshot() {
    const strokes = this.strokes.map((stroke) => ({ ...stroke, points: [...stroke.points] }));
    return { points: this.points.map((point) => ({ ...point })), strokes };
  }

  undo() {
    if (this.past.length) this.step(this.past, this.future);
    else if (!this.dirty()) this.viewer.send("region", { kind: "undo" });
  }

  redo() {
    if (this.future.length) this.step(this.future, this.past);
    else if (!this.dirty()) this.viewer.send("region", { kind: "redo" });
  }

  step(from, to) {
    to.push(this.snapshot());
    Object.assign(this, from.pop());
    this.viewer.store.changed();
  }

  down(point, panel) {
    const { tool, brush } = this.viewer.store;
    if (tool === "point") this.point(point);
    else if (tool === "box") {
      this.clear();
      this.points = [point, point];
      this.holding = "box";
    } else if (tool === "polygon") {
      const near = nearest(panel, this.points, point);
      this.remember();
      this.holding = this.last = near ?? this.points.push(point) - 1;
    } else {
      this.remember();
      this.strokes.push({ radius: brush, erase: tool === "eraser", points: [point] });
      this.holding = "stroke";
    }
    this.viewer.store.changed();
  }

  // A point counts at once; off the film it is none.
  point({ x, y }) {
    if (Math.min(x, y) >= 0 && Math.max(x, y) <= 1) this.viewer.send("region", { kind: "point", x, y });
  }

  move(point) {
    if (this.holding === null) return;
    if (this.holding === "stroke") this.strokes.at(-1).points.push(point);
    else this.points[this.holding === "box" ? 1 : this.holding] = point;
  }

  up() {
    const held = this.holding;
    this.holding = null;
    if (held === "box") this.finish();
  }

  // Two fingers came down: what the first one drew was not meant.
  abandon() {
    if (this.holding === null) return;
    if (this.past.length) Object.assign(this, this.past.pop());
    else this.clear();
    this.holding = null;
  }

  removeLast() {
    if (this.last === null || !this.points[this.last]) return;
    this.remember();
    this.points.splice(this.last, 1);
    this.last = this.points.length ? this.points.length - 1 : null;
    this.viewer.store.changed();
  }

  corners() {
    if (this.viewer.store.tool !== "box" || this.points.length < 2) return this.points;
    const [a, b] = this.points;
    return [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
  }

  // Fills the region under way; `matrix` leads to the context's pixels.
  fill(context, matrix, colour) {
    context.fillStyle = context.strokeStyle = colour;
    context.lineJoin = context.lineCap = "round";
    if (this.points.length > 2 || this.viewer.store.tool === "box") {
      trace(context, this.corners(), matrix);
      context.fill();
    }
    for (const { points, radius, erase } of this.strokes) {
      context.globalCompositeOperation = erase ? "destination-out" : "source-over";
      context.lineWidth = 2 * radius * Math.hypot(matrix.a, matrix.b);
      trace(context, points.length > 1 ? points : [points[0], { x: points[0].x + 1e-4, y: points[0].y }], matrix);
      context.stroke();
    }
  }

  draw(panel, context, matrix) {
    this.brushRing(panel, context, matrix);
    if (!this.dirty()) return;
    const layer = (panel.layer ??= new OffscreenCanvas(1, 1));
    layer.width = panel.canvas.width;
    layer.height = panel.canvas.height;
    this.fill(layer.getContext("2d"), matrix, DRAWN);
    context.save();
    context.globalAlpha = 0.4;
    context.drawImage(layer, 0, 0);
    context.globalAlpha = 1;
    context.strokeStyle = context.fillStyle = DRAWN;
    context.lineWidth = Math.max(2, panel.canvas.width / 220);
    const corners = this.corners();
    trace(context, corners, matrix);
    if (this.viewer.store.tool === "box") context.closePath();
    context.stroke();
    if (this.viewer.store.tool !== "box") corners.forEach((corner) => handle(context, through(matrix, corner)));
    context.restore();
  }

  brushRing(panel, context, matrix) {
    const { store } = this.viewer;
    if (!store.cursor || !["brush", "eraser"].includes(store.tool)) return;
    const { x, y } = through(matrix, store.cursor);
    context.strokeStyle = store.tool === "eraser" ? "#fff" : DRAWN;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, store.brush * Math.hypot(matrix.a, matrix.b), 0, 2 * Math.PI);
    context.stroke();
  }

  finish() {
    const { store, film } = this.viewer;
    const box = store.tool === "box";
    if (!(this.strokes.length || this.points.length >= (box ? 2 : 3))) return;
    const factor = Math.min(1, LONGEST_MASK / Math.max(film.width, film.height));
    const canvas = element("canvas");
    canvas.width = Math.round(film.width * factor);
    canvas.height = Math.round(film.height * factor);
    this.fill(canvas.getContext("2d"), new DOMMatrix().scaleSelf(canvas.width, canvas.height), "#fff");
    const kind = box ? "box" : this.strokes.length ? "brush" : "polygon";
    this.clear();
    this.viewer.setTool("pan");
    this.viewer.send("region", { kind, png: canvas.toDataURL("image/png") });
  }
}

function trace(context, points, matrix) {
  context.beginPath();
  points.forEach((point, i) => {
    const { x, y } = through(matrix, point);
    context[i ? "lineTo" : "moveTo"](x, y);
  });
}

function handle(context, { x, y }) {
  const half = 4 * pixelRatio();
  context.fillRect(x - half, y - half, 2 * half, 2 * half);
}

// Number of the point within reach of the hand; null where there is none.
function nearest(panel, points, point) {
  const matrix = panel.matrix();
  const hand = through(matrix, point);
  const apart = points.map((one) => {
    const { x, y } = through(matrix, one);
    return Math.hypot(x - hand.x, y - hand.y);
  });
  const least = Math.min(...apart);
  return least <= NEAR * pixelRatio() ? apart.indexOf(least) : null;
}
