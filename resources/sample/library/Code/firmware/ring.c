/* Lock-free byte queue between one interrupt handler and one main loop. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE 256u /* a power of two, so that indices wrap by masking */
#define RING_MASK (RING_SIZE - 1u)

typedef struct {
    uint8_t data[RING_SIZE];
    _Atomic size_t head; /* written by the producer only */
    _Atomic size_t tail; /* written by the consumer only */
} ring_t;

void ring_init(ring_t *ring)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
}

/* Called from the UART interrupt. Drops the byte and returns false when there is no room. */
bool ring_push(ring_t *ring, uint8_t byte)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail == RING_SIZE) {
        return false;
    }
    ring->data[head & RING_MASK] = byte;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

/* Called from the main loop. */
bool ring_pop(ring_t *ring, uint8_t *byte)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head == tail) {
        return false;
    }
    *byte = ring->data[tail & RING_MASK];
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

/* CRC-16/CCITT-FALSE over a frame: polynomial 0x1021, start 0xFFFF, no reflection. */
uint16_t frame_crc(const uint8_t *frame, size_t length)
{
    uint16_t crc = 0xFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc ^= (uint16_t)frame[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000u) ? (uint16_t)((crc << 1) ^ 0x1021u) : (uint16_t)(crc << 1);
        }
    }
    return crc;
}
