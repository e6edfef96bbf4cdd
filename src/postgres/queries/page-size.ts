/** Events or commits per page. Each page is a separate query. */
export const pageSize = 1_000;
