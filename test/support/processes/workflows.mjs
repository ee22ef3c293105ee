import { proxyActivities } from 'branchline/workflow';

const { greet } = proxyActivities({ startToCloseTimeout: '10s' });

export async function hello(name) {
  return await greet(name);
}
