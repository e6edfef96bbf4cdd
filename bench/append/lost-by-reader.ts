export const lostByReader = 0;
