// What the page shows without a script is right when it is loaded. This tells of what comes later.
"use strict";

const events = new EventSource("/events");

// The stream's last event, if the session has ended.
events.addEventListener("session_expired", (event) => {
  if (event.data === "replaced") {
    return; // this browser has signed in anew, and the stream begins again
  }
  events.close();
  const timedOut = event.data === "idle" || event.data === "lifetime";
  over(timedOut ? "Your session has timed out." : "You have been signed out.");
});

// What EventSource gives up: the server answers 204 where there is no session.
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) {
    location.reload();
  }
});

// What was private does not stay on the screen.
function over(text) {
  clearInterval(asking);
  const message = document.createElement("p");
  message.id = "flash";
  message.setAttribute("role", "alert");
  message.append(text);
  const home = document.createElement("a");
  home.href = "/";
  home.append("Sign in again");
  document.querySelector("main").replaceChildren(message, home);
}

// To ask how long the session lasts is no use of it.
const asking = setInterval(async () => {
  const answer = await fetch("/expires");
  const { expires_in: seconds } = await answer.json();
  const left = document.querySelector("#idle-left");
  if (left) {
    left.textContent = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  }
}, 15000);
