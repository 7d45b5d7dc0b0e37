// A film on which a student marks a place: a tap is a point, a drag a box; arrow keys and Enter do without a pointer.

const TAP = 0.02;
const STEP = 0.02;
const SVG = "http://www.w3.org/2000/svg";
const films = new WeakMap();
const within = (value) => Math.min(1, Math.max(0, value));

class Marking {
  constructor(component) {
    this.root = document.createElement("div");
    this.root.className = "marking";
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.image = document.createElement("img");
    this.image.draggable = false;
    this.drawing = document.createElementNS(SVG, "svg");
    this.drawing.setAttribute("viewBox", "0 0 100 100");
    this.drawing.setAttribute("preserveAspectRatio", "none");
    this.root.append(this.image, this.drawing);
    component.parentElement.querySelector(".mount").replaceChildren(this.root);
    this.cursor = null;
    this.root.addEventListener("pointerdown", (event) => this.begin(event));
    this.root.addEventListener("pointermove", (event) => this.move(event));
    this.root.addEventListener("pointerup", (event) => this.end(event));
    this.root.addEventListener("pointercancel", () => this.drop());
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  update(component) {
    const { data } = component;
    this.component = component;
    if (this.image.getAttribute("src") !== data.url) this.image.src = data.url;
    this.image.alt = data.alt;
    this.root.setAttribute("aria-label", `${data.alt}. Arrow keys move a cross, Enter marks its place.`);
    if (!this.start) this.mark = data.mark;
    this.draw();
  }

  place(event) {
    const box = this.root.getBoundingClientRect();
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  begin(event) {
    if (event.button > 0) return;
    this.before = this.mark;
    this.start = this.place(event);
    this.root.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.start) return;
    this.mark = this.spanned(this.place(event));
    this.draw();
  }

  end(event) {
    if (!this.start) return;
    const mark = this.spanned(this.place(event));
    this.start = null;
    this.send(mark);
  }

  drop() {
    this.start = null;
    this.mark = this.before;
    this.draw();
  }

  spanned([x, y]) {
    const [left, top] = this.start;
    if (Math.abs(x - left) < TAP && Math.abs(y - top) < TAP) return [left, top, left, top];
    return [Math.min(left, x), Math.min(top, y), Math.max(left, x), Math.max(top, y)];
  }

  key(event) {
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (step) {
      const [x, y] = this.cursor ?? [0.5, 0.5];
      this.cursor = [within(x + step[0]), within(y + step[1])];
      this.draw();
    } else if (event.key === "Enter" && this.cursor) this.send([...this.cursor, ...this.cursor]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  send(mark) {
    this.mark = mark;
    this.draw();
    this.component.setTriggerValue("mark", mark.map((value) => Number(value.toFixed(4))));
  }

  draw() {
    this.drawing.replaceChildren();
    if (this.cursor) this.cross(this.cursor, "cursor", 2);
    if (!this.mark) return;
    const [left, top, right, bottom] = this.mark;
    if (left === right && top === bottom) this.cross([left, top], "mark", 4);
    else this.add("rect", { x: 100 * left, y: 100 * top, width: 100 * (right - left), height: 100 * (bottom - top) }, "mark");
  }

  cross([x, y], kind, size) {
    const wide = this.root.clientWidth > 0 ? (size * this.root.clientHeight) / this.root.clientWidth : size;
    this.add("line", { x1: 100 * x - wide, y1: 100 * y, x2: 100 * x + wide, y2: 100 * y }, kind);
    this.add("line", { x1: 100 * x, y1: 100 * y - size, x2: 100 * x, y2: 100 * y + size }, kind);
  }

  add(shape, given, kind) {
    for (const layer of ["halo", kind]) {
      const made = document.createElementNS(SVG, shape);
      for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
      made.setAttribute("class", layer);
      this.drawing.append(made);
    }
  }
}

export default function (component) {
  const place = component.parentElement;
  let film = films.get(place);
  if (!film) {
    film = new Marking(component);
    films.set(place, film);
  }
  film.update(component);
}
