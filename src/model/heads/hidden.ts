import type { Head } from './head';
import { answerOf, chosenTokens } from './rows';

/** The last hidden state of each row: [rows, hidden_size]. */
export const lastHiddenState: Head = {
  key: 'last_hidden_state',
  by: 'row',
  build: ({ encoder }) => answerOf(chosenTokens(encoder)),
};
