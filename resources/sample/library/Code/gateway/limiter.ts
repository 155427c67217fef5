/** Keeps single customers from using up everybody's share. */

export interface Clock {
  now(): number; // milliseconds
}

interface Bucket {
  tokens: number;
  refilled: number;
}

export class TokenBucketLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly capacity: number,
    private readonly perSecond: number,
    private readonly clock: Clock = Date,
  ) {}

  /** True if the call may go ahead; costs one token. */
  allow(customer: string, cost = 1): boolean {
    const bucket = this.refill(customer);
    if (bucket.tokens < cost) {
      return false;
    }
    bucket.tokens -= cost;
    return true;
  }

  /** Seconds until `cost` tokens are there again, for the Retry-After header. */
  waitFor(customer: string, cost = 1): number {
    const lacking = cost - this.refill(customer).tokens;
    return lacking <= 0 ? 0 : Math.ceil(lacking / this.perSecond);
  }

  /** Forget customers whose bucket has been full for a while. */
  sweep(): number {
    let gone = 0;
    for (const [customer] of this.buckets) {
      if (this.refill(customer).tokens >= this.capacity) {
        this.buckets.delete(customer);
        gone += 1;
      }
    }
    return gone;
  }

  private refill(customer: string): Bucket {
    const now = this.clock.now();
    const bucket = this.buckets.get(customer) ?? { tokens: this.capacity, refilled: now };
    const elapsed = Math.max(0, now - bucket.refilled) / 1000;
    bucket.tokens = Math.min(this.capacity, bucket.tokens + elapsed * this.perSecond);
    bucket.refilled = now;
    this.buckets.set(customer, bucket);
    return bucket;
  }
}
