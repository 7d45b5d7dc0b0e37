// Mounts a viewer, and brings it up to date when the page sends new data.

const BLINK_MS = 500;
const TELL_MS = 900;

class Viewer {
  constructor(component) {
    this.panels = new Map();
    this.outlines = [];
    this.component = component;
    this.given = component.data;
    this.store = storeOf(component.data.film.id);
    this.region = new Region(this);
    this.measures = new Measures(this);
    this.enlarged = null;
    this.first = 0;
    this.tallest = Infinity;
    this.root = element("div", "viewer");
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Film and explanation maps; press ? for keys");
    this.help = helpBox(() => this.toggleHelp());
    if (!this.store.window) this.store.reset(this.given.windows.film);
    if (!this.store.told) Object.assign(this.store.look, this.given.look);
    this.store.told = true;
    if (this.given.controls) {
      this.toolbar = new Toolbar(this);
      this.status = new StatusLine(this);
      this.root.append(this.toolbar.bar, this.status.root);
    }
    this.grid = this.root.appendChild(element("div", "grid"));
    this.root.append(this.help);
    component.parentElement.querySelector?.(".mount")?.replaceWith(this.root) ?? component.parentElement.append(this.root);
    this.listen();
  }

  listen() {
    this.redraw = () => this.draw();
    this.store.listeners.add(this.redraw);
    this.root.addEventListener("keydown", (event) => { if (onKey(this, event)) event.preventDefault(); });
    this.watcher = new ResizeObserver(() => this.store.changed());
    this.watcher.observe(this.grid);
    this.onFullScreen = () => this.store.changed();
    document.addEventListener("fullscreenchange", this.onFullScreen);
    this.blinker = setInterval(() => {
      const on = !this.store.blink || Math.floor(performance.now() / BLINK_MS) % 2 === 0;
      if (on !== this.store.blinkOn) this.store.set({ blinkOn: on });
    }, BLINK_MS / 2);
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
    await Promise.all([this.loadFilm(given.film.url), this.loadOutlines(given.outlines)]);
    this.grid.querySelector(":scope > p")?.remove();
    delete this.root.dataset.error;
    this.store.changed();
  }

  shownIds() {
    const ids = this.given.panels.map((panel) => panel.id);
    return shownOf(ids, { layout: this.store.layout, enlarged: this.enlarged, first: this.first });
  }

  layout() {
    const shown = this.shownIds();
    for (const [id, panel] of this.panels) panel.root.hidden = !shown.includes(id);
    const full = this.isFullScreen();
    const used = full ? this.grid.offsetTop + 2 * GAP : 0;
    const room = full ? window.innerHeight - used : Math.max(420, 0.9 * window.innerHeight);
    const aspect = this.store.turn % 2 ? this.film.width / this.film.height : this.film.height / this.film.width;
    const { layout } = this.store;
    const made = arrange(shown.length, this.grid.clientWidth, { layout, enlarged: this.enlarged, full, room, aspect });
    this.tallest = made.tallest;
    this.grid.style.gridTemplateColumns = `repeat(${made.columns}, minmax(0, ${made.widest}px))`;
  }

  // Shows one panel alone, or all again where it is alone already.
  enlarge(id) {
    this.enlarged = this.enlarged === id ? null : id;
    this.draw();
    this.panels.get(id ?? this.shownIds()[0])?.root.scrollIntoView({ block: "nearest" });
  }

  setLayout(layout) {
    this.first = 0;
    this.enlarged = null;
    this.store.set({ layout });
  }

  turnPage(step) {
    const ids = this.given.panels.map((panel) => panel.id);
    if (this.enlarged) {
      this.enlarged = ids[(ids.indexOf(this.enlarged) + step + ids.length) % ids.length];
    } else {
      const many = this.shownIds().length;
      const last = Math.max(0, Math.ceil(ids.length / many) - 1) * many;
      this.first = clamp(this.first + step * many, 0, last);
    }
    this.store.changed();
  }

  isFullScreen() {
    return this.root.getRootNode().fullscreenElement === this.root;
  }

  toggleFullScreen() {
    if (this.isFullScreen()) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.store.changed());
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
    this.outlines = masks.map((mask, i) => {
      const shares = Float32Array.from(mask.values, (v) => v / 65535);
      return { ...outlines[i], mask, path: pathOf(shares, mask.width, mask.height, 0.5) };
    });
  }

  // Names of the outlines at a place of the film that are drawn there.
  labelsAt(x, y) {
    const shown = this.outlines.filter(({ own }) => own || this.store.look.outline);
    const inside = ({ mask: { values, width, height } }) => values[Math.floor(y * height) * width + Math.floor(x * width)] > 32767;
    return shown.filter(inside).map((outline) => outline.label).join(", ");
  }

  // The strongest colour's value for all maps of this map's unit; undefined where each map has its own.
  commonTop(map) {
    if (!this.store.common || !map || !map.unit || map.unit === "arbitrary") return undefined;
    const maps = [...this.panels.values()].map((panel) => panel.map).filter((other) => other?.unit === map.unit);
    return Math.max(...maps.map((other) => other.topOf(this.store.look.part)));
  }

  // What the tool in hand works on; null where a drag moves the film.
  hand() {
    const { tool } = this.store;
    return REGION_TOOLS.includes(tool) ? this.region : MEASURE_TOOLS.includes(tool) ? this.measures : null;
  }

  draw() {
    if (!this.film) return;
    this.layout();
    this.toolbar?.sync();
    this.status?.sync();
    for (const id of this.shownIds()) this.panels.get(id).draw();
    const touch = this.hand() ? "none" : "pan-y";
    for (const panel of this.panels.values()) panel.canvas.style.touchAction = touch;
    this.root.dataset.ready = "true";
  }

  look(change) {
    this.store.setLook(change);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send("look", { ...this.store.look }), TELL_MS);
  }

  setTool(tool) {
    if (tool === "box" || this.store.tool === "box") this.region.clear();
    this.store.set({ tool });
  }

  setBrush(size) {
    this.store.set({ brush: clamp(size, BRUSH.least, BRUSH.most) });
  }

  dropRegion() {
    this.region.clear();
    this.store.changed();
  }

  // Off, or again what was blinked last: at first the outline, else the film without its maps.
  toggleBlink() {
    const { store } = this;
    if (store.blink) store.blinked = store.blink;
    const first = this.outlines.some((one) => !one.own) ? "outline" : "film";
    store.set({ blink: store.blink ? "" : (store.blinked ?? first) });
  }

  send(name, value) {
    if (name === "look") this.component.setStateValue(name, value);
    else this.component.setTriggerValue(name, value);
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  // Leaves the innermost thing: the help, a region under way, the tool, the enlarged panel.
  escape() {
    if (this.toolbar?.closeMenus()) return;
    if (!this.help.hidden) this.toggleHelp();
    else if (this.region.dirty()) this.dropRegion();
    else if (this.hand()) this.setTool("pan");
    else if (this.enlarged) this.enlarge(null);
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    (this.help.hidden ? this.root : this.help).focus({ preventScroll: true });
    this.store.changed();
  }

  close() {
    clearInterval(this.blinker);
    clearTimeout(this.telling);
    this.watcher.disconnect();
    document.removeEventListener("fullscreenchange", this.onFullScreen);
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
    viewer.filmUrl = viewer.outlineSignature = undefined;
    viewer.root.dataset.error = error.message;
    viewer.grid.replaceChildren(text("p", `The film did not arrive: ${error.message}. Load the page again.`));
  });
  return () => {
    if (place.isConnected) return;
    viewer.close();
    mounted.delete(place);
  };
}
