// Three small helps. The pages work without them.
"use strict";

// A form that only passes something on is sent by itself.
for (const form of document.querySelectorAll("form[data-send]")) {
  form.requestSubmit();
}

// A day tells whoever points at it the very moment, by the reader's own clock.
for (const time of document.querySelectorAll("td time[datetime]")) {
  time.title = new Date(time.dateTime).toLocaleString();
}

// A part that changes is fetched again, until it says that nothing will change any more.
for (const part of document.querySelectorAll("[data-live]")) {
  const look = async () => {
    let wait = 1000;
    if (document.hidden) return setTimeout(look, wait);
    try {
      const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const text = await answer.text();
        // Whoever reads or tabs through it is not interrupted for nothing.
        if (text !== part.dataset.shown) {
          part.dataset.shown = text;
          const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
          part.innerHTML = text;
          if (focused) document.getElementById(focused)?.focus();
        }
        if (part.querySelector("[data-settled]")) return;
      } else {
        wait = 10000;
      }
    } catch {
      wait = 5000; // the server is starting anew
    }
    setTimeout(look, wait);
  };
  setTimeout(look, 1000);
}
