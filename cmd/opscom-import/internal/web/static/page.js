"use strict";
// Moves the focus to the heading when another step was opened, and says the verdict of
// the page to a screen reader. Without JavaScript the browser loads each page anew.
(() => {
  let path = location.pathname;
  const announce = () => {
    const verdict = document.querySelector("#page [role=alert], #page [role=status]");
    document.getElementById("announcement").textContent = verdict ? verdict.innerText : "";
  };
  document.addEventListener("htmx:afterSettle", (event) => {
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
  if (!document.querySelector("[autofocus]")) document.getElementById("title")?.focus({ preventScroll: true });
})();
