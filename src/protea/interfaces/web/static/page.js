// The page of `protea web`: a terminal, and the wire to the screen it shows.
import { Terminal } from "./vendor/xterm.mjs";
import { FitAddon } from "./vendor/addon-fit.mjs";
import { ImageAddon } from "./vendor/addon-image.mjs";
import { UnicodeGraphemesAddon } from "./vendor/addon-unicode-graphemes.mjs";

const STRANGER = 4403, ENDED = 4000, ELSEWHERE = 4001, CLOSING = 4002, FULL = 4003;
const TOKEN = "protea-token";
const DARK = {
  background: "#16181d", foreground: "#d7dae0", cursor: "#d7dae0", selectionBackground: "#3d4556",
  black: "#3b4048", red: "#e06c75", green: "#98c379", yellow: "#e5c07b", blue: "#61afef", magenta: "#c678dd",
  cyan: "#56b6c2", white: "#d7dae0", brightBlack: "#7f848e", brightRed: "#ef7b85", brightGreen: "#a9d488",
  brightYellow: "#f0cf8c", brightBlue: "#7cc0ff", brightMagenta: "#d68ceb", brightCyan: "#6cc9d4", brightWhite: "#ffffff",
};
const LIGHT = {
  background: "#fbfbfa", foreground: "#24272e", cursor: "#24272e", selectionBackground: "#c9d6ee",
  black: "#24272e", red: "#b4232c", green: "#35761f", yellow: "#8a5a00", blue: "#1f5fbf", magenta: "#8a35a8",
  cyan: "#0b7285", white: "#d0d3da", brightBlack: "#6a7080", brightRed: "#cf3540", brightGreen: "#44892b",
  brightYellow: "#a06a00", brightBlue: "#2f72d6", brightMagenta: "#a04bc0", brightCyan: "#17879b", brightWhite: "#ffffff",
};

// ── who this page is ─────────────────────────────────────────────────────────────────────────────────────────────────

const address = new URL(location.href);
if (address.searchParams.has("token")) {
  localStorage.setItem(TOKEN, address.searchParams.get("token"));
  address.searchParams.delete("token");
}
// The screen's name stands in the address: loaded again, sent to the bookmarks or opened again once closed, this page
// comes back to the same one.
if (!address.searchParams.has("screen")) address.searchParams.set("screen", crypto.randomUUID());
history.replaceState(null, "", address);

// ── the terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────

const light = matchMedia("(prefers-color-scheme: light)");
const terminal = new Terminal({
  allowProposedApi: true,
  cursorBlink: false,
  customGlyphs: true,
  fontFamily: 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
  fontSize: 14,
  macOptionIsMeta: true,
  minimumContrastRatio: 1,
  scrollback: 0,
  theme: light.matches ? LIGHT : DARK,
  linkHandler: { activate: (event, uri) => openLink(uri) },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new UnicodeGraphemesAddon());
terminal.loadAddon(new ImageAddon({ storageLimit: 64 }));
terminal.open(document.getElementById("terminal"));
light.addEventListener("change", () => { terminal.options.theme = light.matches ? LIGHT : DARK; });
terminal.onTitleChange((title) => { document.title = title || "Protea"; });
new ResizeObserver(() => fit.fit()).observe(document.getElementById("terminal"));
fit.fit();
terminal.focus();
addEventListener("focus", () => (document.querySelector("#notice button") ?? terminal).focus());

// ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Enter with others has no code of its own in the older protocol; this is the newer one's, which the screen reads.
const ENTER = (event) => 1 + event.shiftKey + 2 * event.altKey + 4 * event.ctrlKey;
const BROWSERS = new Set(["F5", "F11", "F12"]);

terminal.attachCustomKeyEventHandler((event) => {
  if (event.type === "keydown") {
    tryCopying();
    if (mayAsk) {
      mayAsk = false;
      Notification.requestPermission();
    }
  }
  if (event.isComposing || event.metaKey) return !event.metaKey || event.isComposing;
  if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.altKey)) {
    if (event.type === "keydown") send(`\x1b[13;${ENTER(event)}u`);
    event.preventDefault();
    return false;
  }
  if (BROWSERS.has(event.key)) return false;
  if (event.ctrlKey && !event.altKey) {
    const key = event.key.toLowerCase();
    if (key === "v") return false; // the browser then pastes what is in its clipboard
    if (event.shiftKey && /^[a-z]$/.test(key)) return false;
    if (["+", "-", "=", "0"].includes(key)) return false; // larger, smaller
    if (key === "c" && terminal.hasSelection()) {
      if (event.type === "keydown") copy(terminal.getSelection());
      terminal.clearSelection();
      event.preventDefault();
      return false;
    }
  }
  return true;
});

// ── the clipboard, links, and what else the screen asks of its page ──────────────────────────────────────────────────

let toCopy = null;
let told = 0;

async function copy(text) {
  toCopy = text;
  await tryCopying();
  if (toCopy !== null) notice("The browser lets a page copy only right after a key: press one.");
}

async function tryCopying() {
  if (toCopy === null) return;
  const text = toCopy;
  try {
    await navigator.clipboard.writeText(text);
    if (toCopy === text) { toCopy = null; if (told === notice.count) notice(""); }
  } catch { /* at the next key */ }
}
addEventListener("pointerdown", tryCopying);

terminal.parser.registerOscHandler(52, (data) => {
  const text = data.slice(data.indexOf(";") + 1);
  if (text === "?") return true; // what is in the clipboard is told to nobody
  try {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    copy(new TextDecoder().decode(bytes)).then(() => { told = notice.count; });
  } catch { /* not what it should be */ }
  return true;
});

terminal.parser.registerOscHandler(7742, (data) => {
  const [what, value] = [data.slice(0, data.indexOf(";")), data.slice(data.indexOf(";") + 1)];
  if (what === "session") {
    address.searchParams.set("session", value);
    history.replaceState(null, "", address);
  } else if (what === "open") {
    openLink(value);
  }
  return true;
});

// Pictures that are pasted or dropped go the way text goes, as an address that holds them whole.
const LARGEST = 8_000_000;

function takePictures(event, data) {
  const pictures = [...(data?.files ?? [])].filter((each) => /^image\/(png|jpeg|gif|webp)$/.test(each.type));
  if (!pictures.length || (event.type === "paste" && data.types.includes("text/plain"))) return;
  event.preventDefault();
  event.stopPropagation();
  for (const picture of pictures) {
    if (picture.size > LARGEST) {
      hint(`${picture.name || "The picture"} is too large: ${(picture.size / 1e6).toFixed(0)} MB.`);
      continue;
    }
    const reader = new FileReader();
    reader.addEventListener("load", () => send(`\x1b[200~${reader.result}\x1b[201~`));
    reader.readAsDataURL(picture);
  }
}
addEventListener("paste", (event) => takePictures(event, event.clipboardData), true);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault(); // else the browser would leave this page for the file
  takePictures(event, event.dataTransfer);
});

// The screen calls who looks elsewhere. Browsers ask a person about that, and only after a key.
let mayAsk = false;
terminal.parser.registerOscHandler(9, (data) => {
  if (!document.hidden || !("Notification" in window)) return true;
  if (Notification.permission === "granted") new Notification("Protea", { body: data });
  mayAsk ||= Notification.permission === "default";
  return true;
});

function openLink(uri) {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}

// ── the wire ─────────────────────────────────────────────────────────────────────────────────────────────────────────

let socket = null;
let greeted = false;
let patience = 250;
let failed = 0;
const encoder = new TextEncoder();

function tell(message) {
  if (greeted && socket.readyState === WebSocket.OPEN) socket.send(message);
}

function send(text) {
  tell(encoder.encode(text));
}

terminal.onData(send);
terminal.onBinary((data) => tell(Uint8Array.from(data, (each) => each.charCodeAt(0))));
terminal.onResize(({ cols, rows }) => tell(JSON.stringify({ columns: cols, rows })));

function connect() {
  const mine = new WebSocket(`ws://${location.host}/socket`);
  mine.binaryType = "arraybuffer";
  socket = mine;
  greeted = false;
  mine.addEventListener("open", () => {
    patience = 250;
    failed = 0;
    terminal.reset(); // the wire begins with who we are, not with what the modes of before would have it say
    fit.fit();
    mine.send(JSON.stringify({
      token: localStorage.getItem(TOKEN) ?? "",
      terminal: address.searchParams.get("screen"),
      session: address.searchParams.get("session") ?? "",
      columns: terminal.cols,
      rows: terminal.rows,
    }));
    greeted = true;
    delete document.body.dataset.closed;
    notice("");
  });
  mine.addEventListener("message", (event) => terminal.write(new Uint8Array(event.data)));
  mine.addEventListener("close", (event) => {
    if (mine === socket) closed(event.code, event.reason);
  });
}

function closed(code, reason) {
  document.body.dataset.closed = code;
  if (code === ENDED) {
    notice(reason === "0" ? "Protea has ended." : `Protea has ended with ${reason}.`, "Go on", connect);
  } else if (code === ELSEWHERE) {
    notice("This screen is shown in another tab now.", "Show it here", connect);
  } else if (code === CLOSING) {
    notice("protea web has ended. The session is kept; start it again and open the address it prints.");
  } else if (code === STRANGER) {
    notice("Open the address that protea web has printed: its token is another one now.");
  } else if (code === FULL) {
    notice("Too many screens are open; end one first.", "Try again", connect);
  } else {
    failed += 1;
    const again = "if protea web was started anew, open the address it printed";
    notice(`The connection is lost; trying again …${failed > 3 ? ` (${again})` : ""}`);
    setTimeout(connect, patience);
    patience = Math.min(patience * 2, 5000);
  }
}

// A notice that goes away by itself.
function hint(text) {
  notice(text);
  const mine = notice.count;
  setTimeout(() => { if (notice.count === mine) notice(""); }, 6000);
}

function notice(text, button, action) {
  const place = document.getElementById("notice");
  notice.count = (notice.count ?? 0) + 1;
  place.hidden = !text;
  place.textContent = text;
  if (!text) terminal.focus();
  if (!button) return;
  const press = document.createElement("button");
  press.textContent = button;
  press.addEventListener("click", () => action());
  place.append(press);
  press.focus();
}

// Another tab has been let in by a server that was started anew: this one may come back, too.
addEventListener("storage", (event) => {
  if (event.key === TOKEN && event.newValue && socket?.readyState !== WebSocket.OPEN) connect();
});

connect();
