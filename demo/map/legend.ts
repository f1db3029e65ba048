import { element } from '../dom';

/** Which colour is which group, one button each: a press lets its points stand out, another one none. */
export function createLegend(onChoose: (group: number | undefined) => void): {
  list: HTMLElement;
  show(names: readonly string[]): void;
} {
  const list = element('ul', { className: 'map-legend', ariaLabel: 'Groups', hidden: true });

  function choose(chosen: number | undefined) {
    for (const [i, button] of [...list.querySelectorAll('button')].entries()) button.ariaPressed = String(i === chosen);
    onChoose(chosen);
  }

  return {
    list,
    show(names) {
      list.hidden = names.length < 2;
      list.replaceChildren(
        ...names.map((name, i) => {
          const swatch = element('span', { className: 'swatch', ariaHidden: 'true' });
          swatch.style.setProperty('--swatch', `var(--group-${i + 1})`);
          const button = element('button', { type: 'button', ariaPressed: 'false' }, swatch, name);
          button.addEventListener('click', () => choose(button.ariaPressed === 'true' ? undefined : i));
          return element('li', {}, button);
        }),
      );
    },
  };
}
