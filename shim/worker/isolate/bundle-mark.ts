/** First line of a bundle of ours; the number counts changes of what the host expects inside. */
export const BUNDLE_MARK = '/* branchline workflow bundle 1 */';
