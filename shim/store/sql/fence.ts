/** Table `fence`: where processes have worked last, and whether they may. */
export const fence = (s: string) => ({
  meet: `SELECT timeline, fenced FROM ${s}.meet_timeline()`,
});
