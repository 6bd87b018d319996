// The elements that the virtual handset is made of: where they are, their colours, their icons.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  restart: [["M6 12a6.5 6.5 0 1 0 2-4.7", "line"], ["M8 3v5h5", "line"]],
  previous: [["M6 6h2.5v12H6z"], ["M19 6v12l-9-6z"]],
  play: [["M8 5v14l11-7z"]],
  pause: [["M7 5h3.5v14H7z"], ["M13.5 5H17v14h-3.5z"]],
  next: [["M15.5 6H18v12h-2.5z"], ["M5 6v12l9-6z"]],
  sound: [["M4 9h4l5-4v14l-5-4H4z"], ["M16 9a4.2 4.2 0 0 1 0 6", "line"], ["M18.5 6.5a8 8 0 0 1 0 11", "line"]],
  silent: [["M4 9h4l5-4v14l-5-4H4z"], ["M16 9.5l5 5", "line"], ["M21 9.5l-5 5", "line"]],
};

// --- places and colours: numbers and #rrggbb only, as viewer/presentation.py gives them

export function place(element, region, { width, height }) {
  const left = share(region.left, width) ?? 0;
  const top = share(region.top, height) ?? 0;
  element.style.left = `${left}%`;
  element.style.top = `${top}%`;
  element.style.width = `${share(region.width, width) ?? 100 - left}%`;
  element.style.height = `${share(region.height, height) ?? 100 - top}%`;
  element.style.zIndex = String(region.z);
}

function share(length, whole) {
  if (length === null) return null;
  return length.unit === "%" ? length.value : (length.value / whole) * 100;
}

export function paint(element, item, region, presentation) {
  const background = item.background ?? region?.background ?? null;
  if (background) element.style.backgroundColor = background;
  if (item.kind === "text") element.style.color = item.color ?? ink(background ?? presentation.background ?? "#ffffff");
  if (item.align) element.style.textAlign = item.align;
  if (item.size) element.classList.add(`handset-${item.size}`);
  if (region?.fit) element.classList.add(`handset-fit-${region.fit}`);
}

/** Black or white, whichever is easier to read on that colour (WCAG 2: relative luminance). */
export function ink(background) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(background.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#111111" : "#ffffff";
}

// --- elements

export function make(name, className = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}

export function label(element, words, role) {
  element.setAttribute("role", role);
  element.setAttribute("aria-label", words);
}

export function button(picture, words, shortcut, act) {
  const element = make("button", `handset-button handset-button-${picture}`);
  element.type = "button";
  element.title = words;
  element.setAttribute("aria-label", words);
  if (shortcut) element.setAttribute("aria-keyshortcuts", shortcut);
  element.addEventListener("click", act);
  icon(element, picture);
  return element;
}

export function icon(element, picture) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  for (const [path, kind] of ICONS[picture]) {
    const stroke = document.createElementNS(SVG, "path");
    stroke.setAttribute("d", path);
    stroke.setAttribute("class", kind === "line" ? "handset-line" : "handset-area");
    drawn.append(stroke);
  }
  element.replaceChildren(drawn);
}
