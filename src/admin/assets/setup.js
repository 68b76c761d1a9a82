// Copy buttons beside commands, and the reader's own system marked. The page is whole without this.
"use strict";
const words = document.documentElement.dataset;

for (const pre of document.querySelectorAll("pre")) {
  const block = document.createElement("div");
  block.className = "block";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.copy;
  button.addEventListener("click", () => copy(pre, button));
  pre.replaceWith(block);
  block.append(pre, button);
}

function copy(pre, button) {
  // The clipboard API needs HTTPS or localhost; selecting works everywhere.
  getSelection().selectAllChildren(pre);
  const copied = document.execCommand("copy");
  getSelection().removeAllRanges();
  if (!copied) return getSelection().selectAllChildren(pre);
  button.textContent = words.copied;
  setTimeout(() => { button.textContent = words.copy; }, 1500);
}

const agent = navigator.userAgent;
const touchMac = /Macintosh/.test(agent) && navigator.maxTouchPoints > 1; // an iPad says that it is a Mac
const system =
  /iPhone|iPad/.test(agent) || touchMac ? "ios" :
  /Android/.test(agent) ? "android" :
  /Windows/.test(agent) ? "windows" :
  /Macintosh/.test(agent) ? "macos" :
  /Linux/.test(agent) ? "linux" : "";
const section = document.getElementById(system);
if (section) {
  section.classList.add("here");
  const mark = document.createElement("small");
  mark.textContent = words.here;
  section.querySelector("h2").append(mark);
  section.parentElement.querySelector("h2.group").after(section); // first of its group
}
