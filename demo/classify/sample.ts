import type { Example } from './csv';

const CLASSES: Record<string, string[]> = {
  weather: [
    'It rained all night and the roof leaked.',
    'The snow lay deep upon the hills.',
    'A cold wind blew from the north.',
    'The sun shone brightly in a clear sky.',
    'Dark clouds gathered before the storm.',
    'The fog was so thick that we saw nothing.',
    'Thunder rolled and lightning struck the oak.',
    'It was the hottest day of the summer.',
    'The frost had killed the last flowers.',
    'A gentle breeze moved the leaves.',
    'Hail broke the windows of the house.',
    'The morning was mild and the air was damp.',
  ],
  money: [
    'He paid ten pounds for the horse.',
    'The bank lent her the money at five per cent.',
    'Prices rose and wages stayed the same.',
    'The merchant sold his goods at a loss.',
    'She had not a penny left in her purse.',
    'The king laid a new tax upon salt.',
    'His debts were larger than his estate.',
    'They bought the land cheaply and sold it dear.',
    'The clerk counted the gold coins twice.',
    'Rent is due on the first of the month.',
    'He left his whole fortune to his niece.',
    'The company paid its owners a good profit.',
  ],
  travel: [
    'The ship left the harbour at dawn.',
    'We took the night train to the coast.',
    'They rode for three days across the desert.',
    'The coach stopped at an inn to change horses.',
    'She packed her trunk and set out for Paris.',
    'The sailors saw land after forty days.',
    'He walked along the road to the next town.',
    'Our guide led us over the mountain pass.',
    'The passengers crowded on the deck.',
    'I lost my way in the streets of the city.',
    'The boat carried us down the river.',
    'After a long voyage they came home again.',
  ],
};

/** A small data set of this project's own, CC0: three classes of twelve sentences. */
export const SAMPLE: Example[] = Object.entries(CLASSES).flatMap(([label, texts]) =>
  texts.map((text) => ({ label, text })),
);
