// The film between its ends, in the browser: sliders, play, probabilities and anatomy move without asking the server.

const PLAY_MS = 220;
const REST_MS = 800;
const BLINK_MS = 500;
const HINT = "The grey mark is the film as it is. All probabilities are the model's own, as on the Compare page.";
const players = new WeakMap();

function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

function percent(value) {
  return value < 0.1 ? `${(100 * value).toFixed(1)}%` : `${Math.round(100 * value)}%`;
}

function figureOf(alt) {
  const figure = element("figure");
  const image = element("img");
  image.alt = alt;
  const words = element("figcaption");
  figure.append(image, words);
  return { figure, image, words };
}

class Player {
  constructor(component) {
    this.root = element("div", "player");
    component.parentElement.querySelector(".mount").replaceChildren(this.root);
    this.timer = null;
    this.shown = "";
  }

  update({ data }) {
    if (data.key === this.shown) return;
    this.stop();
    if (this.blinker) this.setBlinking(false);
    this.shown = data.key;
    this.data = data;
    this.at = data.axes.map((axis) => axis.start);
    this.loaded = [...data.films, ...data.changes].map((url) => Object.assign(new Image(), { src: url }));
    this.build();
    this.show();
  }

  build() {
    const { data } = this;
    this.root.replaceChildren();
    const controls = element("div", "controls");
    this.play = element("button", "play", "Play");
    this.play.type = "button";
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    this.blink = element("button", "play", "Blink");
    this.blink.type = "button";
    this.blink.title = "alternate the generated film with the film as it is, in one place";
    this.blink.setAttribute("aria-pressed", "false");
    this.blink.addEventListener("click", () => this.setBlinking(!this.blinker));
    controls.append(this.play, this.blink, ...data.axes.map((axis, place) => this.slider(axis, place)));
    const films = element("div", "films");
    this.film = figureOf("The film as it is");
    this.film.image.src = data.film;
    this.film.words.textContent = data.words;
    this.generated = figureOf("The generated film");
    this.change = figureOf("What became brighter and darker");
    this.change.words.textContent = "Change: red brighter, blue darker";
    this.bars = element("div", "bars");
    films.append(this.film.figure, this.generated.figure, this.change.figure);
    this.measures = element("div", "measures");
    const below = element("div", "below");
    const said = element("div");
    said.append(element("div", "label", "Model output on the generated film"), this.bars, element("p", "hint", HINT));
    below.append(said, this.measures);
    this.root.append(controls, films, below);
    this.buildBars();
    this.cells = data.measures.map(({ label, help }) => {
      const cell = element("div", "measure");
      cell.title = help;
      const value = element("strong");
      const delta = element("span", "delta");
      cell.append(element("span", "label", label), value, delta);
      this.measures.append(cell);
      return { value, delta };
    });
  }

  slider(axis, place) {
    const label = element("label", "slider");
    const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: axis.targets.length - 1, step: 1 });
    input.value = axis.start;
    input.setAttribute("aria-label", `${axis.label}: from absent to present`);
    const target = element("output");
    input.addEventListener("input", () => {
      this.stop();
      this.at[place] = Number(input.value);
      this.show();
    });
    const scale = element("span", "scale");
    scale.append(element("span", "", "absent"), target, element("span", "", "present"));
    label.append(element("span", "label", axis.label), input, scale);
    axis.input = input;
    axis.target = target;
    return label;
  }

  buildBars() {
    this.rows = this.data.findings.map((name, place) => {
      const row = element("div", "row");
      const track = element("div", "track");
      const bar = element("div", this.data.chosen.includes(place) ? "bar chosen" : "bar");
      const tick = element("div", "tick");
      tick.style.left = `${100 * this.data.own[place]}%`;
      tick.title = `On the film as it is: ${percent(this.data.own[place])}`;
      track.append(bar, tick);
      const value = element("span", "value");
      row.append(element("span", "name", name), track, value);
      this.bars.append(row);
      return { bar, value };
    });
  }

  index() {
    return this.at.reduce((sum, place, axis) => sum * this.data.axes[axis].targets.length + place, 0);
  }

  show() {
    const { data } = this;
    const now = this.index();
    const said = data.axes.map((axis, place) => {
      const target = percent(axis.targets[this.at[place]]);
      const achieved = percent(data.probabilities[now][data.chosen[place]]);
      const missed = data.missed[now][place];
      axis.input.value = this.at[place];
      axis.input.setAttribute("aria-valuetext", `target ${target}, achieved ${achieved}${missed ? ", target missed" : ""}`);
      axis.target.textContent = `target ${target}, achieved ${achieved}${missed ? " ✕" : ""}`;
      axis.target.classList.toggle("missed", missed);
      return `${data.axes.length > 1 ? `${axis.label} ` : ""}target ${target}, achieved ${achieved}${missed ? " ✕ target missed by 10 points or more" : ""}`;
    });
    this.generated.image.src = this.asItIs ? data.film : data.films[now];
    this.generated.words.textContent = this.asItIs ? data.words : `Generated: ${said.join("; ")}`;
    this.change.image.src = data.changes[now];
    this.rows.forEach(({ bar, value }, place) => {
      bar.style.width = `${100 * data.probabilities[now][place]}%`;
      value.textContent = percent(data.probabilities[now][place]);
    });
    this.cells.forEach(({ value, delta }, place) => {
      const { values, own } = data.measures[place];
      value.textContent = values[now] === null ? "–" : values[now].toFixed(3);
      delta.textContent = `film as it is ${own === null ? "–" : own.toFixed(3)}`;
    });
    this.root.dataset.step = now;
  }

  setBlinking(on) {
    clearInterval(this.blinker);
    this.blinker = null;
    this.blink.setAttribute("aria-pressed", String(on));
    this.asItIs = false;
    if (on) {
      this.blinker = setInterval(() => {
        if (!this.root.isConnected) return this.setBlinking(false);
        this.asItIs = !this.asItIs;
        this.show();
      }, BLINK_MS);
    }
    this.show();
  }

  start() {
    this.play.textContent = "Pause";
    let direction = 1;
    const last = this.data.axes[0].targets.length - 1;
    const tick = () => {
      if (!this.root.isConnected) return this.stop();
      if (this.at[0] + direction > last || this.at[0] + direction < 0) direction = -direction;
      this.at[0] += direction;
      this.show();
      const resting = this.at[0] === 0 || this.at[0] === last;
      this.timer = setTimeout(tick, resting ? REST_MS : PLAY_MS);
    };
    this.timer = setTimeout(tick, 0);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.play) this.play.textContent = "Play";
  }
}

export default function (component) {
  const place = component.parentElement;
  let player = players.get(place);
  if (!player) {
    player = new Player(component);
    players.set(place, player);
  }
  player.update(component);
  return () => {
    if (place.isConnected) return;
    player.stop();
    players.delete(place);
  };
}
