// Once a minute, shows how many leads have arrived since the list was loaded.
// No row moves until the attorney follows the link.
const place = document.querySelector(".arrivals");

const look = async () => {
  if (document.hidden) return;
  const answer = await fetch(place.dataset.url, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { arrived } = await answer.json();
  const textContent = `${arrived} new ${arrived === 1 ? "lead" : "leads"} - Refresh`;
  if (!arrived || place.textContent === textContent) return; // the link may have the focus
  place.replaceChildren(Object.assign(document.createElement("a"), { href: place.dataset.list, className: "target", textContent }));
};

setInterval(look, 60_000);
