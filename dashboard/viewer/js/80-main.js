// Mounts a viewer, and brings it up to date when the page sends new data.

const BLINK_MS = 500;
const TELL_MS = 900;
const NARROWEST = 240;
const WIDEST = 560;
const GAP = 12;

class Viewer {
  constructor(component) {
    this.panels = new Map();
    this.outlines = [];
    this.regions = [];
    this.component = component;
    this.given = component.data;
    this.store = storeOf(component.data.film.id);
    this.region = new Region(this);
    this.root = element("div", "viewer");
    this.root.tabIndex = 0;
    this.root.setAttribute("aria-label", "Film and explanation maps; press ? for keys");
    this.help = helpBox();
    if (!this.store.window) this.store.reset(this.given.windows.film);
    if (!this.store.told) Object.assign(this.store.look, this.given.look);
    this.store.told = true;
    if (this.given.controls) {
      this.toolbar = toolbar(this);
      this.root.append(this.toolbar.bar);
    }
    this.grid = this.root.appendChild(element("div", "grid"));
    this.root.append(this.help);
    component.parentElement.querySelector?.(".mount")?.replaceWith(this.root) ?? component.parentElement.append(this.root);
    this.redraw = () => this.draw();
    this.store.listeners.add(this.redraw);
    this.root.addEventListener("keydown", (event) => { if (onKey(this, event)) event.preventDefault(); });
    this.watcher = new ResizeObserver(() => { this.layout(); this.store.changed(); });
    this.watcher.observe(this.grid);
    this.blinker = setInterval(() => {
      if (!this.store.look.blink) return;
      this.store.blinkOn = Math.floor(performance.now() / BLINK_MS) % 2 === 0;
      this.store.changed();
    }, BLINK_MS);
  }

  async update(component) {
    this.component = component;
    const given = component.data;
    this.given = given;
    this.colours = { positive: colourTable(given.colours.positive), signed: colourTable(given.colours.signed) };
    const ids = given.panels.map((panel) => panel.id);
    for (const [id, panel] of this.panels) if (!ids.includes(id)) { panel.root.remove(); this.panels.delete(id); }
    given.panels.forEach((panel, place) => {
      if (!this.panels.has(panel.id)) this.panels.set(panel.id, new Panel(this, panel.id));
      const known = this.panels.get(panel.id);
      if (this.grid.children[place] !== known.root) this.grid.insertBefore(known.root, this.grid.children[place] ?? null);
      known.update(panel);
    });
    this.layout();
    await Promise.all([this.loadFilm(given.film.url), this.loadOutlines(given.outlines)]);
    this.store.changed();
  }

  // As few rows as there is room for, and as even as can be: no panel hangs alone under a full row.
  layout() {
    const most = Math.max(1, Math.floor((this.grid.clientWidth + GAP) / (NARROWEST + GAP)));
    const rows = Math.max(1, Math.ceil(this.panels.size / most));
    const columns = Math.max(1, Math.ceil(this.panels.size / rows));
    this.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${WIDEST}px))`;
  }

  async loadFilm(url) {
    if (this.filmUrl === url) return;
    this.filmUrl = url;
    const films = (window.lightboxFilms ??= new Map());
    if (!films.has(url)) {
      if (films.size > 3) films.delete(films.keys().next().value);
      films.set(url, fetchPixels(url).then((pixels) => new Film(pixels)));
      films.get(url).catch(() => films.delete(url));
    }
    this.film = await films.get(url);
  }

  async loadOutlines(outlines) {
    const signature = JSON.stringify(outlines);
    if (this.outlineSignature === signature) return;
    this.outlineSignature = signature;
    const masks = await Promise.all(outlines.map((outline) => fetchPixels(outline.url)));
    if (this.outlineSignature !== signature) return;
    this.masks = masks.map((mask, i) => ({ ...mask, label: outlines[i].label }));
    this.outlines = masks.map(({ values, width, height }) => pathOf(Float32Array.from(values, (v) => v / 65535), width, height, 0.5));
  }

  labelsAt(x, y) {
    const inside = ({ values, width, height }) => values[Math.floor(y * height) * width + Math.floor(x * width)] > 32767;
    return (this.masks ?? []).filter(inside).map((mask) => mask.label).join(", ");
  }

  draw() {
    if (!this.film) return;
    this.toolbar?.sync();
    for (const panel of this.panels.values()) panel.draw();
    this.root.dataset.ready = "true";
  }

  look(change) {
    this.store.setLook(change);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send("look", { ...this.store.look }), TELL_MS);
  }

  setTool(tool) {
    this.region.clear();
    this.store.tool = tool;
    this.store.changed();
  }

  send(name, value) {
    if (name === "region") this.component.setTriggerValue(name, value);
    else this.component.setStateValue(name, value);
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  escape() {
    this.help.hidden = true;
    this.setTool("pan");
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    this.store.changed();
  }

  close() {
    clearInterval(this.blinker);
    clearTimeout(this.telling);
    this.watcher.disconnect();
    this.store.listeners.delete(this.redraw);
    this.root.remove();
  }
}

const mounted = (window.lightboxViewers ??= new WeakMap());

export default function (component) {
  const place = component.parentElement;
  let viewer = mounted.get(place);
  if (viewer && viewer.store !== storeOf(component.data.film.id)) {
    viewer.close();
    viewer = null;
  }
  if (!viewer) {
    viewer = new Viewer(component);
    mounted.set(place, viewer);
  }
  viewer.update(component).catch((error) => {
    viewer.root.dataset.error = error.message;
    viewer.grid.replaceChildren(text("p", `The film did not arrive: ${error.message}. Load the page again.`));
  });
  return () => {
    if (place.isConnected) return;
    viewer.close();
    mounted.delete(place);
  };
}
