/** Makes what is wider than its place scroll by keys: they scroll only what has the focus. Gives back `place`. */
export function keyScroll<T extends HTMLElement>(place: T): T {
  new ResizeObserver(() => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute('tabindex');
  }).observe(place);
  return place;
}
