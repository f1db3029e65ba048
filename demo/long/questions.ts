import { element } from '../dom';

/** A question that a text answers, and words of the text from where it does. */
export interface Question {
  question: string;
  place: string;
}

/** Questions that are offered at a time, at most. */
const OFFERED = 4;

/** The last ones that are answered before `end`, where what was read of the text ends. */
export const answeredBefore = (questions: Question[], text: string, end: number): string[] =>
  questions
    .filter(({ place }) => {
      const at = text.indexOf(place);
      return at >= 0 && at + place.length <= end;
    })
    .map(({ question }) => question)
    .slice(-OFFERED);

/** Questions to choose from. */
export interface Offer {
  /** Offers others, or none. */
  set(questions: string[]): void;
  /** One to ask now in the place of `asked`; undefined if that is the user's own. */
  instead(asked: string): string | undefined;
  /** Shows them while nothing of the user's own is asked. */
  show(asked: string): void;
}

/** `known`: all questions that may be offered. `onChoose`: the user chose one. */
export function createOffer(place: HTMLElement, known: Question[], onChoose: (question: string) => void): Offer {
  let offered: string[] = [];
  const buttons = () => [...place.querySelectorAll('button')];
  return {
    set(questions) {
      offered = questions;
      for (const button of buttons()) button.remove();
      for (const question of questions) {
        const button = element('button', { type: 'button', className: 'example' }, question);
        button.addEventListener('click', () => onChoose(question));
        place.append(button);
      }
    },
    instead(asked) {
      const isOwn = asked !== '' && !known.some(({ question }) => question === asked);
      return isOwn || offered.includes(asked) ? undefined : offered.at(-1);
    },
    show(asked) {
      place.hidden = offered.length === 0 || (asked !== '' && !offered.includes(asked));
      for (const button of buttons()) button.ariaPressed = String(button.textContent === asked);
    },
  };
}
