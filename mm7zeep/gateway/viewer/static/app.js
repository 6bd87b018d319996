// What pages gain where scripts run: times in the reader's zone, live updates, choosing many, copying, shortcuts.
// Content is moved as nodes that the server has escaped; nothing from a message is ever parsed as HTML here.

const zone = { dateStyle: "medium", timeStyle: "medium" };

function localTimes(root) {
  const today = new Date().toDateString();
  for (const one of root.querySelectorAll("time[datetime]")) {
    const when = new Date(one.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    one.title = `${when.toLocaleString(undefined, zone)} (${one.dateTime})`;
    const short = one.closest(".list, .bubbles") !== null && one.closest("[data-long]") === null;
    if (!short) one.textContent = when.toLocaleString(undefined, zone);
    else if (when.toDateString() === today) one.textContent = when.toLocaleTimeString(undefined, { timeStyle: "short" });
    else one.textContent = when.toLocaleDateString(undefined, { dateStyle: "medium" });
  }
}

// --- live ---------------------------------------------------------------------------------------------------------

const AGAIN = 5000; // milliseconds until what failed is tried again
const SOON = 300; // milliseconds until what has changed meanwhile is loaded
const PATIENCE = 30_000; // milliseconds that an answer may take
const root = document.documentElement; // its data-version is what the page shows; a page without does not listen
let events = null;
let heard = root.dataset.version; // the version that was heard of last
let loading = false;
let timer = 0; // of the next try: there is one at most, whatever failed

function later(wait) {
  clearTimeout(timer);
  timer = document.hidden ? 0 : setTimeout(tryAgain, wait);
}

async function tryAgain() {
  timer = 0;
  await refresh();
  if (!timer) listen();
}

async function refresh() {
  if (loading) return; // what is heard of meanwhile comes next
  loading = true;
  const version = heard;
  try {
    const fresh = await loaded();
    if (fresh === null) return;
    document.title = fresh.title;
    for (const now of document.querySelectorAll("[data-live]")) {
      const then = fresh.getElementById(now.id);
      if (then && then.dataset.live !== now.dataset.live) renewRegion(now, document.importNode(then, true));
    }
    root.dataset.version = version;
    lost(false);
    if (heard !== version) later(SOON);
  } catch {
    lost(true); // and it says so, until it has come
    later(AGAIN);
  } finally {
    loading = false;
  }
}

/** This page as it is now, also where it says what is wrong with a search; null where something else has its place. */
async function loaded() {
  const answer = await fetch(location.href, {
    headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.status >= 500) throw new Error(`HTTP ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const ended = answer.redirected || answer.status === 401; // the log-in: it leads to where one logs in
  if (!ended && !fresh.getElementById("content")) throw new Error("a proxy answered"); // not the gateway
  if (!ended && fresh.querySelector("main [data-live]")) return fresh;
  location.reload(); // what the page shows was deleted, say: it says so
  return null;
}

function lost(yes) {
  const said = document.getElementById("lost");
  if (said) said.hidden = !yes;
}

function renewRegion(now, then) {
  localTimes(then);
  renew(now, then);
  count();
  document.dispatchEvent(new Event("renewed"));
}

/** Make `now` what `then` is. What is the same stays as it is, with its focus, its ticks and where it is scrolled to. */
function renew(now, then) {
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.data !== then.data) now.data = then.data;
    return;
  }
  if (now.isEqualNode(then)) return;
  if (now.matches(".handset")) { now.replaceWith(then); return; } // it plays, and keeps its own elements
  for (const { name } of [...now.attributes]) {
    if (!then.hasAttribute(name) && !(name === "open" && now.matches("details"))) now.removeAttribute(name);
  }
  for (const { name, value } of then.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  renewChildren(now, then);
}

function renewChildren(now, then) {
  const keyed = new Map([...now.children].filter((one) => one.dataset.key).map((one) => [one.dataset.key, one]));
  const wanted = new Set([...then.children].map((one) => one.dataset.key));
  for (const [key, one] of keyed) if (!wanted.has(key)) one.remove();
  let at = now.firstChild;
  for (const child of [...then.childNodes]) {
    const key = child.dataset?.key;
    const same = key ? keyed.get(key) : at && !at.dataset?.key && at.nodeName === child.nodeName ? at : null;
    if (!same) { now.insertBefore(child, at); continue; }
    while (key && at !== same && at && !at.dataset?.key) at = dropped(at);
    if (at === same) at = at.nextSibling;
    else now.insertBefore(same, at);
    renew(same, child);
  }
  while (at) at = dropped(at);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function listen() {
  if (events || document.hidden || !root.dataset.version) return;
  let opened = false;
  events = new EventSource("/events");
  events.addEventListener("change", (event) => {
    heard = event.data;
    if (heard !== root.dataset.version && !timer) refresh();
  });
  events.addEventListener("open", () => {
    opened = true;
    root.dataset.connected = "yes";
    if (!timer) lost(false);
  });
  events.addEventListener("error", () => {
    delete root.dataset.connected; // the browser connects again, and hears of what it missed
    if (events.readyState !== EventSource.CLOSED) { lost(true); return; }
    events = null; // it was refused: the log-in is over, or too many pages listen
    later(opened ? 0 : AGAIN);
  });
}

function pause() {
  clearTimeout(timer);
  timer = 0;
  if (events) events.close();
  events = null;
  delete root.dataset.connected;
}

// A browser has six connections to a place: pages that nobody sees leave theirs to the others.
document.addEventListener("visibilitychange", () => { if (document.hidden) pause(); else listen(); });
window.addEventListener("pagehide", pause);
window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });

// --- thumbnails ---------------------------------------------------------------------------------------------------

/** Where no thumbnail can be made, what the picture is called has its place. */
function named(picture) {
  if (picture.matches?.("img[data-thumbnail]")) picture.replaceWith(picture.alt);
}

document.addEventListener("error", (event) => named(event.target), true); // it does not bubble

// --- choosing -----------------------------------------------------------------------------------------------------

function count() {
  const boxes = [...document.querySelectorAll("input[name=id]")];
  const chosen = boxes.filter((one) => one.checked).length;
  const all = document.getElementById("choose-all");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  for (const one of document.querySelectorAll("[data-needs-choice]")) one.disabled = chosen === 0;
  const said = document.getElementById("chosen");
  if (said) said.textContent = chosen ? `${chosen} selected` : "";
}

document.addEventListener("change", (event) => {
  if (event.target.id === "choose-all") {
    for (const one of document.querySelectorAll("input[name=id]")) one.checked = event.target.checked;
  }
  count();
});

// --- asking first -------------------------------------------------------------------------------------------------

let sure = null; // the button whose question was answered with yes

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.confirm) return;
  const { form } = button;
  if (button === sure) {
    sure = null;
    return;
  }
  event.preventDefault();
  ask(button.dataset.confirm, button.textContent, () => {
    const field = form.querySelector("input[name=sure]") ?? form.appendChild(document.createElement("input"));
    Object.assign(field, { type: "hidden", name: "sure", value: "yes" });
    sure = button;
    form.requestSubmit(button);
  });
});

function ask(words, act, then) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.id = "question";
  text.textContent = words;
  dialog.setAttribute("aria-labelledby", text.id);
  dialog.setAttribute("role", "alertdialog");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "row";
  for (const [value, said, style] of [["no", "Cancel", ""], ["yes", act, "danger"]]) {
    const button = document.createElement("button");
    Object.assign(button, { value, textContent: said, className: style });
    form.append(button);
  }
  dialog.append(text, form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue === "yes") then();
  });
  document.body.append(dialog);
  dialog.showModal();
}

// --- copying ------------------------------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
});

// --- shortcuts ----------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target.matches("input[type=file]")) { // Chromium knows only the space bar there
    event.preventDefault();
    event.target.click();
    return;
  }
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, .handset, audio, video")) return;
  const links = [...document.querySelectorAll(".list .what a")];
  const at = links.indexOf(document.activeElement);
  const go = { j: Math.min(at + 1, links.length - 1), k: Math.max(at - 1, 0) }[event.key];
  if (event.key === "/") {
    const field = document.querySelector("input[type=search]");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  } else if (go !== undefined && links.length) {
    event.preventDefault();
    links[go].focus();
  } else if (event.key === "x" && at >= 0) {
    const box = links[at].closest("li").querySelector("input[name=id]");
    box.checked = !box.checked;
    count();
  } else if ({ j: true, k: true }[event.key] && document.querySelector(".head a[rel]")) {
    const beside = document.querySelector(event.key === "j" ? ".head a[rel=next]" : ".head a[rel=prev]");
    if (beside) location.href = beside.href;
  } else if (event.key === "c") {
    location.href = "/compose";
  } else if (event.key === "u" && document.querySelector("[data-up]")) {
    location.href = document.querySelector("[data-up]").href;
  }
});

localTimes(document);
for (const one of document.images) if (one.complete && one.naturalWidth === 0) named(one); // before this was here
count();
listen();
