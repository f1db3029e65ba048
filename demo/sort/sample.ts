/** Files that come with the tab, the project's own, CC0: eight of each kind, whose names say nothing of it. */
const KINDS: Record<string, Record<string, string>> = {
  invoice: {
    'scan-01.txt': `Harbour Office Supplies
Invoice no. 4471

24 boxes of paper at 6.50, 12 toner cartridges at 38.00. Subtotal 612.00, sales tax 122.40, amount due 734.40. Please pay within 30 days to the account below.`,
    'scan-04.txt': `Bill to: Lindgren and Sons
From: Marsh Street Plumbing

Repair of the boiler on 3 March, four hours of labour at 55.00, one valve at 41.20. Total 261.20. Payment is due on 2 April. Late payments bear interest of one per cent a month.`,
    'scan-09.txt': `Website hosting, yearly plan: 96.00. Domain name: 12.00. Discount for long customers: -10.00. Balance due: 98.00. Your card ending in 2203 will be charged on the first of June. Keep this for your tax records.`,
    'inbox-02.txt': `Dear customer,

attached you find our bill for the garden works in April: 18 hours at 32.00, plants and soil 240.50. The sum of 816.50 is payable by bank transfer until 15 May. Quote the number 2019-77.`,
    'inbox-11.txt': `Catering for your dinner on Tuesday: lentil soup, 40 portions at 4.50, apple crumble, 40 portions at 3.80, two cooks at 180.00. VAT is included. Amount payable: 692.00. Our bank details stand at the foot of this page.`,
    'paper-03.txt': `Translation of a contract, 14 pages, 4,200 words at 0.12. Net 504.00, VAT 20 per cent 100.80, gross 604.80. Payable without deduction within 14 days of receipt. Tax number 33/118.`,
    'paper-08.txt': `Electricity from January to March: 812 kilowatt hours at 0.28, standing charge 31.00. You have paid 200.00 in advance. Still to be paid: 58.36, by direct debit on 20 April.`,
    'paper-12.txt': `Studio rent for October 450.00, cleaning 40.00, two extra keys 16.00. Total 506.00. Second reminder: the invoice of 1 October has not been paid yet. Please transfer the money this week.`,
  },
  'minutes of a meeting': {
    'scan-02.txt': `Board of the rowing club, 12 February

Present: Adams, Brandt, Costa, Dahl. Apologies: Evans. The chair opened the meeting at seven. The minutes of January were approved. It was agreed to buy a second trailer. Dahl will ask for offers by March.`,
    'scan-05.txt': `Weekly team call. Attendees: Priya, Tom, Lena. Topics: release date, open bugs, holidays. Decision: the release moves to the 18th. Action items: Tom writes the notes, Lena tells the customers. Next call on Monday at ten.`,
    'scan-07.txt': `Parents' evening of class 4b. Twenty-two parents took part. Ms Okafor reported on the trip in May. The motion to collect ten more for the bus was carried with three votes against. The meeting closed at 21:15.`,
    'inbox-01.txt': `Notes of today's discussion on the new warehouse. Those present agreed that the northern site is better. Mr Chen objected because of the road. The vote was postponed. Each member reads the report until the next session.`,
    'inbox-06.txt': `Residents' assembly, item 3 of the agenda: the roof. The manager presented two offers. After a long debate the assembly resolved by eleven votes to four to accept the first. Item 4 was adjourned. The secretary signed the record.`,
    'paper-02.txt': `Committee for the summer festival. The chairwoman welcomed all members and noted a quorum. The treasurer gave her report, which was accepted. Music: Rahel contacts the band. Tents: Jonas asks the fire brigade. Next meeting 4 May.`,
    'paper-05.txt': `Faculty council, third session. Agenda: new curriculum, vacant chair, any other business. The dean summarised the discussion. It was resolved unanimously to start the search in autumn. There being no other business, the session ended at noon.`,
    'paper-10.txt': `Treasurer's hour. In the room: the treasurer, two auditors, one guest. We went through the unpaid bills. Everybody agreed to pay the printer 480.00 at once and to ask the plumber for a discount. Follow-up in two weeks.`,
  },
  recipe: {
    'scan-03.txt': `Lentil soup

Fry a chopped onion and two carrots in oil. Add 250 g of red lentils and a litre of stock, and simmer for 20 minutes. Season with cumin, salt and lemon juice. Serve with yoghurt and bread.`,
    'scan-06.txt': `Whisk three eggs with 100 g of sugar until pale. Fold in the flour and the melted butter, then pour the batter into a greased tin. Bake at 180 degrees for 35 minutes and let the cake cool before you cut it.`,
    'scan-08.txt': `For four people: 400 g of spaghetti, two cloves of garlic, a tin of tomatoes, basil. Boil the pasta in salted water. Meanwhile soften the garlic, add the tomatoes and cook the sauce until it thickens. Top with grated cheese.`,
    'inbox-04.txt': `Here is how grandmother made her dumplings: knead flour, water and a pinch of salt to a smooth dough and let it rest. Fill small circles with potato and fried onion, press the edges together, and boil them until they float.`,
    'inbox-08.txt': `Marinate the chicken overnight in yoghurt, ginger and chilli. Roast it in a hot oven until the skin is brown. Stir the juices from the pan with a spoon of cream and pour them over the rice.`,
    'paper-01.txt': `Pancakes: mix a cup of flour, a cup of milk and one egg. Heat a little butter in a pan, pour in a ladle of batter, and turn the pancake when bubbles appear. Eat them hot with jam or syrup.`,
    'paper-06.txt': `Peel and slice a kilo of apples. Stir them with sugar, cinnamon and a squeeze of lemon. Lay them in a dish, rub cold butter into flour and oats, and spread the crumble on top. Bake until golden.`,
    'paper-09.txt': `Pickled cucumbers. Wash the cucumbers and pack them into clean jars with dill, mustard seeds and garlic. Boil vinegar, water, sugar and salt, pour it over hot, and close the jars. They are ready to eat after a week.`,
  },
};

export const SAMPLE_CLASSES = Object.keys(KINDS);

/** In the order of their names. `kind`: the class that a person would give it. */
export const SAMPLE: { name: string; text: string; kind: string }[] = Object.entries(KINDS)
  .flatMap(([kind, files]) => Object.entries(files).map(([name, text]) => ({ name, text, kind })))
  .sort((a, b) => (a.name < b.name ? -1 : 1));
