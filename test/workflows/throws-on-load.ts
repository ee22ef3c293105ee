export async function never(): Promise<void> {}

throw new Error('this module throws on load');
