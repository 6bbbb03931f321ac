"use strict";
// Shows the progress live, and opens the result when the work has ended.
(() => {
  const { events: address, next } = document.currentScript.dataset;
  const bar = document.getElementById("bar");
  const text = document.getElementById("text");
  const spoken = document.getElementById("spoken");
  let spokenAt = 0;
  const events = new EventSource(address);
  events.onmessage = (event) => {
    const standing = JSON.parse(event.data);
    text.textContent = standing.Text;
    if (standing.Total > 0) {
      bar.max = standing.Total;
      bar.value = standing.Done;
    }
    if (Date.now() - spokenAt > 10000) { // a screen reader cannot read twice a second
      spokenAt = Date.now();
      spoken.textContent = standing.Text;
    }
  };
  events.addEventListener("end", () => {
    events.close();
    location.replace(next);
  });
})();
