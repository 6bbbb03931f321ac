"use strict";
// Shows how much of a file has arrived, and takes one that is dropped anywhere on its box.
// Without JavaScript the browser shows it itself.
(() => {
  document.addEventListener("htmx:xhr:progress", (event) => {
    const shown = event.target.querySelector?.("#uploading");
    if (!shown || !event.detail.lengthComputable) return;
    shown.hidden = false;
    const bar = shown.querySelector("progress");
    bar.value = Math.max(bar.value, event.detail.loaded / event.detail.total); // the answer has a progress too
  });
  const over = (event) => event.target.closest?.(".drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const box = over(event);
      if (!box) return;
      box.classList.toggle("over", name === "dragover");
      if (name === "dragleave" || event.target.matches("input[type=file]")) return; // the browser does the rest
      event.preventDefault();
      if (name === "drop" && event.dataTransfer.files.length > 0) {
        box.querySelector("input[type=file]").files = event.dataTransfer.files;
      }
    });
  }
})();
