"use strict";
// Moves the focus to the heading when another step was opened, and says the verdict of
// the page to a screen reader. Without JavaScript the browser loads each page anew.
(() => {
  let path = location.pathname;
  const announce = () => {
    const verdict = document.querySelector("#page [role=alert], #page [role=status]");
    const text = verdict ? verdict.innerText : "";
    const announcement = document.getElementById("announcement");
    if (announcement.textContent !== text) announcement.textContent = text; // a page that asks again says nothing twice
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id === "standing") return announce(); // how far a push is
    if (event.detail.elt.id !== "page") return;
    if (location.pathname !== path) {
      path = location.pathname;
      window.scrollTo(0, 0);
      document.getElementById("title").focus({ preventScroll: true });
    }
    announce();
  });
  // Pages that say what went wrong are shown like any other.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  // A choice is an answer at once; without JavaScript a button beside it sends it.
  document.documentElement.classList.add("scripted");
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-autosubmit]");
    if (form && event.target.matches("select")) form.requestSubmit();
  });
  // Without an answer the program has ended. A page that asks again finds it when it is back.
  document.addEventListener("htmx:sendError", (event) => {
    const lost = document.getElementById("lost");
    if (lost.hidden) document.getElementById("announcement").textContent = lost.textContent;
    lost.hidden = false;
    const asks = event.detail.elt;
    if (asks.matches("[data-polls]")) setTimeout(() => htmx.trigger(asks, "again"), 3000);
  });
  document.addEventListener("htmx:afterOnLoad", () => { document.getElementById("lost").hidden = true; });
  if (!document.querySelector("[autofocus]")) document.getElementById("title")?.focus({ preventScroll: true });
})();
