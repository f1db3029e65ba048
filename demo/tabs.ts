import { find } from './dom';

/**
 * A tab list as the ARIA practices describe it: one tab in the focus order, arrows, Home and End move and choose. `onChoose` hears
 * what the user chose. Gives back what shows a tab and its panel (`id` of both: `tab-<name>`, `<name>`).
 */
export function createTabs(list: HTMLElement, onChoose: (name: string) => void): (name: string) => void {
  const tabs = [...list.querySelectorAll<HTMLAnchorElement>('[role=tab]')];
  const nameOf = (tab: HTMLElement) => tab.id.replace('tab-', '');
  const moves: Record<string, (at: number) => number> = {
    ArrowRight: (at) => (at + 1) % tabs.length,
    ArrowLeft: (at) => (at + tabs.length - 1) % tabs.length,
    Home: () => 0,
    End: () => tabs.length - 1,
  };

  list.addEventListener('click', (event) => {
    const tab = (event.target as HTMLElement).closest<HTMLAnchorElement>('[role=tab]');
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return; // a link to open elsewhere
    event.preventDefault();
    onChoose(nameOf(tab));
  });
  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(event.target as HTMLAnchorElement);
    const move = event.key === ' ' ? (i: number) => i : moves[event.key];
    if (at < 0 || !move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = tabs[move(at)];
    next.focus();
    onChoose(nameOf(next));
  });

  return (name) => {
    for (const tab of tabs) {
      const isShown = nameOf(tab) === name;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      find(document, `#${nameOf(tab)}`).hidden = !isShown;
      if (isShown) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  };
}
