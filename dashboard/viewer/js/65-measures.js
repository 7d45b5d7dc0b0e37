// Lengths and the cardiothoracic ratio, measured by hand; in millimetres where the film tells its pixel spacing.

const MEASURE_TOOLS = ["ruler", "ratio"];

class Measures {
  constructor(viewer) {
    this.viewer = viewer;
    this.held = null; // the measurement under the hand, and which of its ends
    this.last = null;
  }

  get all() {
    return this.viewer.store.measures;
  }

  down(point, panel) {
    const ends = this.all.flatMap((one) => [{ one, end: "from" }, { one, end: "to" }]);
    const near = nearest(panel, ends.map(({ one, end }) => one[end]), point);
    this.held = near === null ? this.begin(point) : ends[near];
    this.last = this.held.one;
    this.viewer.store.changed();
  }

  // A ruler, or of the ratio the width that is missing: the heart's, then the chest's, then both anew.
  begin(point) {
    const { store } = this.viewer;
    let kind = "ruler";
    if (store.tool === "ratio") {
      const there = (name) => store.measures.some((one) => one.kind === name);
      kind = there("heart") && !there("chest") ? "chest" : "heart";
      if (kind === "heart") store.measures = store.measures.filter((one) => one.kind === "ruler");
    }
    const one = { kind, from: point, to: point };
    store.measures.push(one);
    return { one, end: "to" };
  }

  move(point, panel) {
    if (!this.held) return;
    const { one, end } = this.held;
    one[end] = point;
    if (one.kind !== "ruler") this.level(panel, one, end);
  }

  // Widths are measured straight across, as the eye sees the film: both ends at the height of the one under the hand.
  level(panel, one, end) {
    const matrix = panel.matrix();
    const other = end === "to" ? "from" : "to";
    one[other] = through(matrix.inverse(), { x: through(matrix, one[other]).x, y: through(matrix, one[end]).y });
  }

  up() {
    if (!this.held) return;
    const { one } = this.held;
    this.held = null;
    if (this.pixels(one) < 2) this.remove(one);
    this.viewer.store.changed();
  }

  abandon() {
    if (this.held) this.remove(this.held.one);
    this.held = null;
  }

  removeLast() {
    this.remove(this.last ?? this.all.at(-1));
    this.last = null;
  }

  remove(one) {
    this.viewer.store.set({ measures: this.all.filter((other) => other !== one) });
  }

  along({ from, to }) {
    const [rows, columns] = this.viewer.given.film.shape;
    return [(to.y - from.y) * rows, (to.x - from.x) * columns];
  }

  pixels(one) {
    return Math.hypot(...this.along(one));
  }

  // Millimetres, or pixels of the film where its spacing is not known.
  length(one) {
    const spacing = this.viewer.given.film.spacing ?? [1, 1];
    const [down, across] = this.along(one);
    return Math.hypot(down * spacing[0], across * spacing[1]);
  }

  inWords(one) {
    const { spacing } = this.viewer.given.film;
    const length = spacing ? `${this.length(one).toFixed(1)} mm` : `${Math.round(this.length(one))} px`;
    return one.kind === "ruler" ? length : `${one.kind} ${length}`;
  }

  // Heart width over chest width; null until both are measured.
  ratio() {
    const heart = this.all.find((one) => one.kind === "heart");
    const chest = this.all.find((one) => one.kind === "chest");
    return heart && chest && this.length(chest) > 0 ? this.length(heart) / this.length(chest) : null;
  }

  // Short, so that the line does not grow while a hand measures.
  words() {
    const ratio = this.ratio();
    const unit = this.viewer.given.film.spacing
      ? " Not corrected for magnification."
      : " No pixel spacing known: lengths in pixels.";
    if (this.viewer.store.tool !== "ratio") return `Drag along a length, or an end of one.${unit}`;
    return ratio === null ? `Drag across the heart, then the inner chest.${unit}` : `Cardiothoracic ratio, by hand: ${ratio.toFixed(2)}.${unit}`;
  }

  draw(panel, context, matrix) {
    const ratio = this.ratio();
    context.save();
    for (const one of this.all) {
      const from = through(matrix, one.from);
      const to = through(matrix, one.to);
      for (const [colour, wide] of [["rgba(0,0,0,.7)", 4], [MEASURE, 2]]) {
        context.strokeStyle = colour;
        context.lineWidth = wide * pixelRatio();
        context.beginPath();
        context.moveTo(from.x, from.y);
        context.lineTo(to.x, to.y);
        context.stroke();
      }
      context.fillStyle = MEASURE;
      for (const end of [from, to]) handle(context, end);
      const words = one.kind === "chest" && ratio !== null ? `${this.inWords(one)} · CTR ${ratio.toFixed(2)}` : this.inWords(one);
      label(context, words, (from.x + to.x) / 2, (from.y + to.y) / 2 - 8 * pixelRatio(), MEASURE);
    }
    context.restore();
  }
}
