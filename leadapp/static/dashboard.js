// Tells once a minute how many leads have come since the list was shown; no row moves until somebody asks for them.
const place = document.querySelector(".arrivals");

const look = async () => {
  const answer = document.hidden || (await fetch(place.dataset.url, { redirect: "error" }).catch(() => null));
  const { arrived } = answer?.ok ? await answer.json() : {};
  const textContent = `${arrived} new ${arrived === 1 ? "lead" : "leads"} - Refresh`;
  if (!arrived || place.textContent === textContent) return; // the same link stays: somebody may be on it
  place.replaceChildren(Object.assign(document.createElement("a"), { href: place.dataset.list, className: "target", textContent }));
};

setInterval(look, 60_000);
