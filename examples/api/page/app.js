"use strict";

// Where the token is kept. sessionStorage belongs to this origin and this tab, survives a reload,
// and is gone with the tab. localStorage would share the session among tabs and keep it on the disk
// for as long as nobody deletes it; a variable would be safer still, and lose the session with each
// reload. Whichever it is, a script that gets to run on this page can read the token and take it
// away, which it cannot with an HttpOnly cookie: hence the page's strict Content-Security-Policy,
// and hence a cookie is the better choice wherever page and API can be on one site.
const KEY = "session-token";

const API = document.documentElement.dataset.api;
const show = (id, text) => { document.getElementById(id).textContent = text; };

// Sends a request with the token, if there is one, and keeps the token that comes back.
async function call(method, path) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) {
    headers["Session-Id"] = token;
  }
  const response = await fetch(API + path, { method, headers, credentials: "omit" });
  remember(response.headers.get("Session-Id"));
  return response;
}

// The server sends the header only when there is something new to say. No header: keep what there
// is. An empty one: the session has ended, forget it. Anything else is the token from now on.
function remember(answer) {
  if (answer === null) {
    return;
  }
  if (answer === "") {
    sessionStorage.removeItem(KEY);
  } else {
    sessionStorage.setItem(KEY, answer);
  }
}

// Runs one action at a time: two at once with no token yet would begin two sessions.
let last = Promise.resolve();
function inTurn(action) {
  last = last.then(action).catch(() => show("status", "The API cannot be reached."));
  return last.then(() => {
    show("token", sessionStorage.getItem(KEY) ? "kept, and sent with each request" : "none");
  });
}

async function counter(method) {
  const response = await call(method, "/api/counter");
  if (!response.ok) {
    show("status", `That did not work (${response.status}). Try again.`);
    return;
  }
  const answer = await response.json();
  show("count", String(answer.count));
  show("session-id", answer.session || "none");
  show("status", method === "POST" ? "Counted." : "Read.");
}

async function end() {
  const response = await call("POST", "/api/sign-out");
  if (!response.ok) {
    show("status", `That did not work (${response.status}). Try again.`);
    return;
  }
  show("count", "0");
  show("session-id", "none");
  show("status", "The session has ended.");
}

document.getElementById("increment").addEventListener("click", () => inTurn(() => counter("POST")));
document.getElementById("reload").addEventListener("click", () => inTurn(() => counter("GET")));
document.getElementById("end").addEventListener("click", () => inTurn(end));
inTurn(() => counter("GET"));
