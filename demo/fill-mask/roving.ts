/**
 * Makes the buttons of a line one stop of the Tab key; arrow keys, Home and End move between them. `onMove` hears of the button that the
 * keys went to. Call the returned function with the button that Tab shall reach when the buttons have changed.
 */
export function rovingFocus(line: HTMLElement, onMove: (button: HTMLElement) => void = () => {}): (at: number) => void {
  const buttons = () => [...line.querySelectorAll<HTMLElement>('button')];
  const reach = (reached: HTMLElement | undefined) => {
    for (const button of buttons()) button.tabIndex = button === reached ? 0 : -1;
  };
  line.addEventListener('focusin', ({ target }) => reach(target as HTMLElement));
  line.addEventListener('keydown', (event) => {
    const all = buttons();
    const at = all.indexOf(event.target as HTMLElement);
    const forward = getComputedStyle(line).direction === 'rtl' ? -1 : 1;
    const next = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[next].focus();
    onMove(all[next]);
  });
  return (at) => reach(buttons()[at]);
}
