// The virtual handset: plays the slides of a message. The server wrote them as a list (templates/_handset.html); here
// they get a screen, times and buttons. Nothing of a message is ever parsed as HTML: its elements are moved as they are,
// and what is said about them is set as text. Nothing is fetched.

import { button, icon, ink, label, make, paint, place } from "./player_elements.js";

const WHILE = 5; // seconds of a slide that gives no duration and has no clip
const PATIENCE = 10; // seconds that a slide without duration waits for the length of its clip
const DRIFT = 0.3; // seconds that a clip may be out of step with its slide
const SHORTEST = 0.5; // seconds
const TALLEST = 34; // rem

const players = new WeakMap();

/** Make a phone of each handset in `root` that is none yet; call it again for what is inserted later. */
export function enhance(root = document) {
  for (const section of root.querySelectorAll("section.handset[data-presentation]")) {
    if (!players.has(section)) players.set(section, Player.of(section));
  }
}

/** One item on a slide: its element, its clip if it is one, and when it is shown. Times are in seconds. */
class Item {
  constructor(element, { kind, begin, end, length, content_type: type }) {
    this.element = element;
    this.begin = begin;
    this.end = end;
    this.length = length;
    this.clip = kind === "audio" || kind === "video" ? element.querySelector("audio, video") : null;
    this.failed = false;
    this.blocked = false; // by the autoplay policy of the browser, until somebody presses a button
    this.wanted = false;
    const content = this.clip ?? element.querySelector("img");
    if (this.clip) this.clip.controls = false;
    if (content) {
      const words = this.clip ? `This browser cannot play ${type}.` : `This picture (${type}) cannot be shown.`;
      content.addEventListener("error", () => this.fail(words));
      if (content.error || (content.complete && content.naturalWidth === 0)) this.fail(words);
    }
  }

  fail(words) {
    if (this.failed) return;
    this.failed = true;
    this.element.classList.add("handset-failed");
    const image = this.element.querySelector("img");
    const note = make("p", "handset-failure");
    note.append(image && image.alt ? `${image.alt}. ${words}` : words);
    if (image) {
      const link = make("a");
      link.href = image.src.replace(/\/preview(?=\?|$)/, ""); // the part itself, where no preview could be made of it
      link.textContent = "Open the part";
      note.append(" ", link);
    }
    this.element.append(note);
  }

  /** How long the clip plays: null where that is not known yet. */
  get plays() {
    if (this.length !== null) return this.length;
    if (Number.isFinite(this.clip.duration)) return this.clip.duration;
    return this.failed ? 0 : null;
  }

  visible(time) {
    return this.begin <= time && (this.end === null || time < this.end);
  }

  /** Bring the clip in step with its slide. */
  step(time, playing, muted) {
    const { clip } = this;
    if (!clip || this.failed) return;
    clip.muted = muted;
    const at = time - this.begin;
    const wanted = playing && this.visible(time) && !(Number.isFinite(clip.duration) && at >= clip.duration);
    if (!wanted) {
      if (!clip.paused) clip.pause();
      this.wanted = false;
      return;
    }
    if (clip.readyState > 0 && Math.abs(clip.currentTime - at) > DRIFT && !clip.seeking) clip.currentTime = at;
    if (this.wanted || this.blocked) return;
    this.wanted = true;
    clip.play().catch((error) => {
      if (error.name === "NotAllowedError") this.blocked = true;
      this.wanted = false; // AbortError: paused before it began
    });
  }

  rewind() {
    if (this.clip && this.clip.readyState > 0) this.clip.currentTime = 0;
    this.wanted = false;
  }
}

/** One slide: a list item of the page, with a stage for what is seen and a tray for what is not. */
class Slide {
  constructor(element, slide, presentation) {
    this.element = element;
    this.duration = slide.duration;
    const figures = element.querySelectorAll(":scope > figure");
    this.items = slide.items.map((one, n) => new Item(figures[n], one));
    this.stage = make("div", "handset-stage");
    this.tray = make("div", "handset-tray");
    this.stage.style.aspectRatio = `${presentation.width} / ${presentation.height}`;
    const seen = slide.items.filter(({ kind }) => kind !== "audio" && kind !== "other");
    const placed = seen.every(({ region }) => region !== null);
    this.stage.classList.toggle("handset-flow", !placed);
    slide.items.forEach((item, n) => {
      const figure = figures[n];
      if (!seen.includes(item)) {
        this.tray.append(figure);
        return;
      }
      this.stage.append(figure);
      const region = item.region === null ? null : presentation.regions[item.region];
      if (placed) place(figure, region, presentation);
      paint(figure, item, region, presentation);
    });
    for (const empty of element.querySelectorAll(":scope > .handset-empty")) this.stage.append(empty);
    element.style.backgroundColor = presentation.background ?? "";
    this.stage.style.color = ink(presentation.background ?? "#ffffff");
    element.append(this.stage);
    if (this.tray.childElementCount) element.append(this.tray);
  }

  /** How long it is shown; Infinity where it waits for somebody, or still for the length of a clip. */
  length(time) {
    if (this.duration === "indefinite") return Infinity;
    if (this.duration !== null) return this.duration;
    let longest = 0;
    for (const item of this.items) {
      const plays = item.clip && item.end === null ? item.plays : 0;
      if (plays === null) return time < PATIENCE ? Infinity : WHILE;
      longest = Math.max(longest, item.end ?? (plays && item.begin + plays));
    }
    return longest ? Math.max(longest, SHORTEST) : WHILE;
  }

  /** Texts that are longer than their place can be scrolled with the keyboard. */
  openTexts() {
    for (const figure of this.stage.querySelectorAll(".handset-text")) {
      if (figure.scrollHeight > figure.clientHeight + 1) figure.tabIndex = 0;
      else figure.removeAttribute("tabindex");
    }
  }
}

class Player {
  /** The player of a section; null where there is nothing to play. */
  static of(section) {
    const presentation = JSON.parse(section.dataset.presentation);
    const elements = [...section.querySelectorAll(".handset-slide")];
    return elements.length ? new Player(section, presentation, elements) : null;
  }

  constructor(section, presentation, elements) {
    this.section = section;
    this.slides = elements.map((one, n) => new Slide(one, presentation.slides[n], presentation));
    this.index = 0;
    this.time = 0; // seconds since the beginning of the slide
    this.playing = false;
    this.ended = false;
    this.sound = false;
    this.soundChosen = false;
    this.last = 0;
    this.build(presentation);
    section.addEventListener("keydown", (event) => this.key(event));
    this.watch = () => this.hidden();
    document.addEventListener("visibilitychange", this.watch);
    this.go(0);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if ("autoplay" in section.dataset && !still) this.play();
  }

  build(presentation) {
    const { section } = this;
    const phone = section.querySelector(".handset-phone");
    const ratio = presentation.width / presentation.height;
    phone.style.setProperty("--handset-widest", `${Math.round(TALLEST * ratio * 100) / 100}rem`);
    const list = section.querySelector(".handset-slides");
    const screen = make("div", "handset-screen");
    screen.tabIndex = 0;
    label(screen, "Screen", "group");
    list.replaceWith(screen);
    this.progress = make("div", "handset-progress");
    label(this.progress, "Progress", "progressbar");
    this.progress.setAttribute("aria-valuemin", "0");
    this.progress.setAttribute("aria-valuemax", "100");
    const bars = this.slides.length > 20 ? 1 : this.slides.length;
    this.bars = Array.from({ length: bars }, () => {
      const bar = make("span", "handset-bar");
      bar.append(make("span"));
      this.progress.append(bar);
      return bar.firstElementChild;
    });
    screen.append(list);
    phone.prepend(this.progress);
    const controls = make("div", "handset-controls");
    label(controls, "Playback", "group");
    this.buttons = {
      restart: button("restart", "Restart", null, () => this.restart()),
      previous: button("previous", "Previous slide", "ArrowLeft", () => this.move(-1)),
      toggle: button("play", "Play", "Space", () => this.toggle()),
      next: button("next", "Next slide", "ArrowRight", () => this.move(1)),
      sound: button("silent", "Sound", null, () => this.toggleSound()),
    };
    const { restart, previous, toggle, next, sound } = this.buttons;
    controls.append(restart, previous, toggle, next);
    if (this.slides.some(({ items }) => items.some(({ clip }) => clip))) controls.append(sound);
    this.status = make("p", "handset-status");
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    phone.after(controls, this.status);
    section.classList.add("handset-live");
  }

  // --- what people do

  key(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const act = {
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      Home: () => this.go(0),
      End: () => this.go(this.slides.length - 1),
      " ": () => this.toggle(),
    }[event.key];
    if (!act || (event.key === " " && event.target.closest("a, button"))) return;
    event.preventDefault();
    act();
  }

  move(steps) {
    const index = this.index + steps;
    if (index >= 0 && index < this.slides.length) this.go(index);
  }

  toggle() {
    if (this.playing) this.pause();
    else if (this.ended) this.restart();
    else this.play(true);
  }

  restart() {
    this.go(0);
    this.play(true);
  }

  toggleSound() {
    this.sound = !this.sound;
    this.soundChosen = true;
    this.unblock();
    this.show();
  }

  // --- the clock

  /** `chosen`: by somebody, which is when there may be sound. */
  play(chosen = false) {
    if (chosen && !this.soundChosen) this.sound = true;
    if (chosen) this.unblock();
    this.ended = false;
    if (!this.playing) {
      this.playing = true;
      this.last = performance.now();
      requestAnimationFrame((now) => this.tick(now));
    }
    this.show();
  }

  pause() {
    this.playing = false;
    this.show();
  }

  unblock() {
    for (const { items } of this.slides) for (const item of items) item.blocked = false;
  }

  go(index) {
    for (const item of this.slides[this.index].items) item.step(0, false, true);
    this.index = index;
    this.time = 0;
    this.ended = false;
    this.slides.forEach(({ element }, n) => {
      element.hidden = n !== index;
    });
    for (const item of this.slides[index].items) item.rewind();
    this.slides[index].openTexts();
    this.status.textContent = `Slide ${index + 1} of ${this.slides.length}`;
    this.show();
  }

  tick(now) {
    if (!this.playing) return;
    if (!this.section.isConnected) {
      this.pause();
      return;
    }
    this.time += Math.max(0, Math.min(now - this.last, 1000)) / 1000;
    this.last = now;
    if (this.time >= this.slides[this.index].length(this.time)) this.advance();
    else this.show();
    if (this.playing) requestAnimationFrame((later) => this.tick(later));
  }

  advance() {
    if (this.index + 1 < this.slides.length) {
      this.go(this.index + 1);
      return;
    }
    this.ended = true;
    this.status.textContent = `Slide ${this.index + 1} of ${this.slides.length}, the end`;
    this.pause();
  }

  /** In a background tab the clock stands still, and so do the clips. */
  hidden() {
    if (!this.section.isConnected) document.removeEventListener("visibilitychange", this.watch);
    if (!this.playing) return;
    this.last = performance.now();
    if (document.hidden) for (const item of this.slides[this.index].items) item.step(this.time, false, true);
    else this.show();
  }

  // --- what is seen

  show() {
    const slide = this.slides[this.index];
    const length = slide.length(this.time);
    const still = !this.playing && (this.time === 0 || this.ended); // somebody looks through: all there is
    for (const item of slide.items) {
      item.element.classList.toggle("handset-waiting", !still && !item.visible(this.time));
      item.step(this.time, this.playing && !document.hidden, !this.sound);
    }
    const part = this.ended ? 1 : Math.min(1, this.time / length);
    this.draw(part);
    const { previous, toggle, next, sound } = this.buttons;
    const words = this.playing ? "Pause" : this.ended ? "Play again" : "Play";
    if (toggle.title !== words) {
      icon(toggle, this.playing ? "pause" : "play");
      toggle.title = words;
      toggle.setAttribute("aria-label", words);
    }
    if (sound.getAttribute("aria-pressed") !== String(this.sound)) {
      icon(sound, this.sound ? "sound" : "silent");
      sound.setAttribute("aria-pressed", String(this.sound));
    }
    // Not disabled, so that the focus stays where it is
    previous.setAttribute("aria-disabled", String(this.index === 0));
    next.setAttribute("aria-disabled", String(this.index === this.slides.length - 1));
  }

  draw(part) {
    const whole = (this.index + part) / this.slides.length;
    this.bars.forEach((bar, n) => {
      const full = this.bars.length === 1 ? whole : n < this.index ? 1 : n > this.index ? 0 : part;
      bar.style.transform = `scaleX(${full.toFixed(4)})`;
    });
    this.progress.setAttribute("aria-valuenow", String(Math.round(whole * 100)));
    this.progress.setAttribute("aria-valuetext", `Slide ${this.index + 1} of ${this.slides.length}`);
  }
}

document.addEventListener("renewed", () => enhance()); // by the page's live updates
enhance();
