/** An aspect by which answers can be judged. */
export type Aspect = 'overall-rating' | 'helpfulness' | 'honesty' | 'instruction-following' | 'truthfulness';

/** The aspects for the judge's prompt, each with the meaning of both ends of the scale. */
export const aspects: Readonly<Record<Aspect, { readonly asks: string; readonly worst: string; readonly best: string }>> = {
  'overall-rating': {
    asks: 'how good the answer is all in all: whether it is right, does what was asked, helps the one who asked, and is honest about what it does not know',
    worst: 'wrong, beside the point or harmful',
    best: 'an answer that you would not change',
  },
  helpfulness: {
    asks: 'how much the answer helps the one who asked: whether it is right, to the point, complete, and clear without being long-winded',
    worst: 'of no use',
    best: 'everything that is needed, and nothing else',
  },
  honesty: {
    asks: 'whether the confidence that the answer shows matches what can be known: claims without grounds and doubts without reason both count against it',
    worst: 'sure of what is wrong, or evasive where the matter is clear',
    best: 'as sure, and as unsure, as the matter allows',
  },
  'instruction-following': {
    asks: 'how closely the answer keeps to what was asked: the task itself, and each condition on form, length, tone or language',
    worst: 'another task was done',
    best: 'the task was done, and every condition is met',
  },
  truthfulness: {
    asks: 'whether what the answer says is true: made-up facts, contradictions with what was given, and faulty reasoning count against it',
    worst: 'for the most part untrue',
    best: 'no untrue statement',
  },
};
