/** Events or commits in a page: each page is a query of its own. */
export const pageSize = 1_000;
