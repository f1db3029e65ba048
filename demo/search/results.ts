import { find } from '../dom';
import { plural } from '../numbers';
import type { TabState } from '../tab-state';
import type { Judged } from './judge';
import type { Hit } from './passages';

/** What was found: the passages that may fit in a list, unlikely ones in another one, which is folded unless the user wants it. */
export interface Results {
  /** Shows others, best first. The focus stays in the list, if it was there and there is one. */
  show(found: Judged[]): void;
  /** All, folded or not, best first. */
  all(): Judged[];
  /** Those in view, in the order in which they stand there. */
  inView(): Hit[];
}

export const isUnlikely = ({ judgement }: Judged): boolean => judgement === 'unlikely';

/** `itemOf` makes a list item; `onFold` hears when the user folds or unfolds. */
export function createResults(
  panel: HTMLElement,
  state: TabState,
  itemOf: (found: Judged) => HTMLLIElement,
  onFold: () => void,
): Results {
  const place = find(panel, '#found');
  const list = find(place, '#passages');
  const rest = find(place, '#unlikely');
  const fold = find<HTMLButtonElement>(place, '#show-unlikely');
  let found: Judged[] = [];

  const isOpen = () => state.get('unlikely') === 'shown';
  const parts = () => [found.filter((one) => !isUnlikely(one)), found.filter(isUnlikely)];

  function showFold() {
    const { length } = found.filter(isUnlikely);
    fold.hidden = length === 0;
    fold.textContent = `${isOpen() ? 'Hide' : 'Show'} ${plural(length, 'unlikely passage')}`;
    fold.ariaExpanded = String(isOpen());
    rest.hidden = length === 0 || !isOpen();
  }
  fold.addEventListener('click', () => {
    state.set('unlikely', isOpen() ? undefined : 'shown');
    showFold();
    onFold();
  });
  state.onChange(() => {
    showFold();
    onFold();
  });

  return {
    show(next) {
      const buttons = () => [...place.querySelectorAll('button')].filter((button) => button.checkVisibility());
      const at = buttons().indexOf(document.activeElement as HTMLButtonElement);
      found = next;
      const [likely, unlikely] = parts();
      list.replaceChildren(...likely.map(itemOf));
      rest.replaceChildren(...unlikely.map(itemOf));
      showFold();
      const isStill = document.activeElement === fold && !fold.hidden;
      if (at < 0 || isStill) return;
      (buttons()[at] ?? buttons()[0] ?? find(panel, '#query')).focus({ preventScroll: true });
    },
    all: () => found,
    inView() {
      const [likely, unlikely] = parts();
      return [...likely, ...(isOpen() ? unlikely : [])].map(({ hit }) => hit);
    },
  };
}
