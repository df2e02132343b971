"use strict";

// The edge between two pictures: any pointer drags it; so do the arrow keys, as it is a range input.
for (const slider of document.querySelectorAll(".slider")) {
  const range = slider.querySelector("input");
  const show = () => {
    slider.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", range.value + " % " + slider.dataset.left);
  };
  const follow = (event) => {
    const box = slider.getBoundingClientRect();
    range.value = (100 * (event.clientX - box.left)) / box.width;
    show();
  };
  range.addEventListener("input", show);
  slider.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    slider.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
    follow(event);
  });
  slider.addEventListener("pointermove", (event) => {
    if (slider.hasPointerCapture(event.pointerId)) follow(event);
  });
  show();
}

// The choice of the two pictures beside the edge, for all faces of a gallery.
for (const gallery of document.querySelectorAll(".gallery")) {
  for (const select of gallery.querySelectorAll("select")) {
    select.addEventListener("change", () => {
      for (const slider of gallery.querySelectorAll(".slider")) {
        slider.dataset[select.name] = select.value;
        for (const image of slider.querySelectorAll("img"))
          image.classList.toggle(select.name, image.dataset.name === select.value);
      }
    });
  }
}
