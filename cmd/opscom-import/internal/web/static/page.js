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
    } else if (document.activeElement === document.body || document.activeElement.id === "page") {
      found(place)?.focus({ preventScroll: true });
    }
    announce();
  });
  // An answer replaces the page: the focus goes to where it was, or as near as there is.
  let place = null;
  const subject = (form) => form?.elements.namedItem("card")?.value ?? form?.elements.namedItem("column")?.value;
  document.addEventListener("htmx:beforeSwap", () => {
    const at = document.activeElement;
    place = { id: at.id, name: at.name, value: at.value, subject: subject(at.form), around: at.closest("tr[id]")?.id };
  });
  const found = (place) => {
    if (!place) return null;
    const page = document.getElementById("page");
    return (place.id && document.getElementById(place.id)) ||
      (place.name && [...page.querySelectorAll("button, input, select")].find((e) =>
        e.name === place.name && e.value === place.value && subject(e.form) === place.subject)) ||
      (place.around && document.getElementById(place.around)?.querySelector("select, button, a[href], input:not([type=hidden])")) ||
      document.getElementById("title");
  };
  // Pages that say what went wrong are shown like any other.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  // A choice is an answer at once; without JavaScript a button beside it sends it. Arrow keys
  // choose each option on the way to the one that is meant: then the button sends it, or
  // leaving it does.
  document.documentElement.classList.add("scripted");
  const autosubmits = (element) => element.matches?.("form[data-autosubmit] select");
  document.addEventListener("pointerdown", (event) => {
    if (autosubmits(event.target)) event.target.form.classList.remove("by-keys");
  });
  document.addEventListener("keydown", (event) => {
    if (autosubmits(event.target) && event.key !== "Tab") event.target.form.classList.add("by-keys");
  });
  document.addEventListener("change", (event) => {
    if (!autosubmits(event.target)) return;
    const form = event.target.form;
    if (form.classList.contains("by-keys")) form.dataset.changed = "";
    else form.requestSubmit();
  });
  document.addEventListener("submit", (event) => { delete event.target.dataset.changed; }, true);
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.("form[data-autosubmit]");
    if (form && "changed" in form.dataset && !form.contains(event.relatedTarget)) form.requestSubmit();
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
