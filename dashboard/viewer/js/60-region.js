// A region that a person draws: box, polygon or brush; sent as a PNG mask when it is finished.

const LONGEST_MASK = 1024;
const BRUSH = 0.02;

class Region {
  constructor(viewer) {
    this.viewer = viewer;
    this.clear();
  }

  clear() {
    this.points = [];
    this.strokes = [];
    this.drawing = false;
  }

  active() {
    return this.viewer.store.tool !== "pan";
  }

  down(point) {
    const { tool } = this.viewer.store;
    if (tool === "pan") return false;
    if (tool === "polygon") this.points.push(point);
    else {
      if (tool === "box") this.points = [point, point];
      else this.strokes.push([point]);
      this.drawing = true;
    }
    this.viewer.store.changed();
    return true;
  }

  move(point) {
    if (!this.drawing) return false;
    if (this.viewer.store.tool === "box") this.points[1] = point;
    else this.strokes.at(-1).push(point);
    return true;
  }

  up() {
    if (!this.drawing) return;
    this.drawing = false;
    if (this.viewer.store.tool === "box") this.finish();
  }

  corners() {
    if (this.viewer.store.tool !== "box" || this.points.length < 2) return this.points;
    const [a, b] = this.points;
    return [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
  }

  draw(panel, context, left, top, width, height) {
    if (!this.points.length && !this.strokes.length) return;
    context.save();
    context.strokeStyle = DRAWN;
    context.lineJoin = context.lineCap = "round";
    const go = (points) => {
      context.beginPath();
      points.forEach(({ x, y }, i) => context[i ? "lineTo" : "moveTo"](left + x * width, top + y * height));
    };
    if (this.points.length) {
      context.lineWidth = Math.max(2, panel.canvas.width / 220);
      go(this.corners());
      if (this.viewer.store.tool === "box") context.closePath();
      context.stroke();
    }
    context.globalAlpha = 0.45;
    context.lineWidth = 2 * BRUSH * width;
    for (const stroke of this.strokes) {
      go(stroke.length > 1 ? stroke : [stroke[0], { x: stroke[0].x + 1e-4, y: stroke[0].y }]);
      context.stroke();
    }
    context.restore();
  }

  finish() {
    const kind = this.viewer.store.tool;
    const enough = kind === "brush" ? this.strokes.length : this.points.length >= (kind === "box" ? 2 : 3);
    if (kind === "pan" || !enough) return;
    const { film } = this.viewer;
    const factor = Math.min(1, LONGEST_MASK / Math.max(film.width, film.height));
    const canvas = element("canvas");
    canvas.width = Math.round(film.width * factor);
    canvas.height = Math.round(film.height * factor);
    const context = canvas.getContext("2d");
    context.fillStyle = context.strokeStyle = "#fff";
    context.lineJoin = context.lineCap = "round";
    context.lineWidth = 2 * BRUSH * canvas.width;
    const go = (points) => {
      context.beginPath();
      points.forEach(({ x, y }, i) => context[i ? "lineTo" : "moveTo"](x * canvas.width, y * canvas.height));
    };
    if (this.points.length) {
      go(this.corners());
      context.fill();
    }
    for (const stroke of this.strokes) {
      go(stroke.length > 1 ? stroke : [stroke[0], { x: stroke[0].x + 1e-4, y: stroke[0].y }]);
      context.stroke();
    }
    this.clear();
    this.viewer.setTool("pan");
    this.viewer.send("region", { kind, png: canvas.toDataURL("image/png") });
  }
}
