/** Animates an element unless its user wants no motion. */
export function animate(animated: HTMLElement, frames: Keyframe[], duration = 280): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  animated.animate(frames, { duration, easing: 'ease-out' });
}
