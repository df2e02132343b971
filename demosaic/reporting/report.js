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

// A picture with its mosaics before and after: where to look, and which layers to show.
for (const shown of document.querySelectorAll(".shown")) {
  const stage = shown.querySelector(".stage");
  const press = (buttons, one) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button === one);
  };
  const looks = [...shown.querySelectorAll(".look button")];
  const strips = [...shown.querySelectorAll(".strip")];
  looks.forEach((button, number) => {
    button.addEventListener("click", () => {
      press(looks, button);
      for (const one of button.dataset.look.split(";")) {
        const [name, value] = one.split(":");
        stage.style.setProperty(name.trim(), value);
      }
      if (number < strips.length)
        strips.forEach((strip, other) => { strip.hidden = other !== number; });
    });
  });
  // A draw has one seed for all mosaics of a picture, so each of them shows the one chosen.
  const layers = stage.querySelectorAll(".draw");
  for (const strip of strips) {
    [...strip.children].forEach((chosen, number) => {
      chosen.addEventListener("click", () => {
        strips.forEach((other, mosaic) => {
          press(other.children, other.children[number]);
          layers[mosaic].src = other.children[number].querySelector("img").src;
        });
      });
    });
  }
  for (const box of shown.querySelectorAll("[data-layer]")) {
    const show = () => stage.classList.toggle("with-" + box.dataset.layer, box.checked);
    box.addEventListener("change", show);
    show();
  }
  const blend = shown.querySelector(".blend input");
  if (!blend) continue;
  const mix = () => {
    stage.style.setProperty("--draw", blend.value / 100);
    blend.setAttribute("aria-valuetext", blend.value + " % draw");
  };
  blend.addEventListener("input", mix);
  mix();
}
