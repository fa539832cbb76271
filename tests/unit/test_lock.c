/* test_lock.c - whose mutex a thread waits for: threads of the test's own. */
#define _GNU_SOURCE
#include "unit.h"

#include "../../harness/lock.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

static pthread_mutex_t mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t told, go_on;
static pid_t holder, waiter; /* told by `told` */

static int begin(void **state)
{
    (void)state;
    pthread_mutex_init(&mutex, NULL);
    sem_init(&told, 0, 0);
    return sem_init(&go_on, 0, 0);
}

static void *holds(void *leaves)
{
    pthread_mutex_lock(&mutex);
    holder = (pid_t)syscall(SYS_gettid);
    sem_post(&told);
    if (leaves)
        return NULL;
    sem_wait(&go_on);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *waits(void *unused)
{
    waiter = (pid_t)syscall(SYS_gettid);
    sem_post(&told);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *waits_for_condition(void *unused)
{
    pthread_mutex_lock(&mutex);
    waiter = (pid_t)syscall(SYS_gettid);
    sem_post(&told);
    pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

/* The waiter, once it is blocked in futex(2). */
static struct census_thread blocked(void)
{
    struct census_thread thread = {.syscall = -1};

    sem_wait(&told);
    for (int look = 0; look < UNIT_LOOKS && thread.syscall != SYS_futex; look++)
        census_thread(getpid(), waiter, &thread);
    assert_int_equal(thread.syscall, SYS_futex);
    return thread;
}

/* One that ends with the lock. Joined, it may be on its way out still. */
static void leave_locked(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, holds, &mutex);
    pthread_join(thread, NULL);
    sem_wait(&told);
    for (int look = 0; look < UNIT_LOOKS; look++)
        if (!census_lives(getpid(), holder))
            return;
    fail_msg("the thread does not end");
}

static void a_lock_has_a_holder(void **state)
{
    pthread_t first, second;

    (void)state;
    pthread_create(&first, NULL, holds, NULL);
    sem_wait(&told);
    pthread_create(&second, NULL, waits, NULL);
    struct census_thread thread = blocked();
    assert_int_equal(lock_holder(&thread), holder);
    sem_post(&go_on);
    pthread_join(second, NULL);
    pthread_join(first, NULL);
}

static void who_has_ended_holds_it_still(void **state)
{
    pthread_t second;

    (void)state;
    leave_locked();
    pthread_create(&second, NULL, waits, NULL);
    pthread_detach(second); /* for ever */
    struct census_thread thread = blocked();
    assert_int_equal(lock_holder(&thread), holder);
}

static void *locks_twice(void *unused)
{
    pthread_mutex_lock(&mutex);
    return waits(unused);
}

static void a_thread_may_wait_for_its_own(void **state)
{
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, locks_twice, NULL);
    pthread_detach(thread); /* for ever */
    struct census_thread now = blocked();
    assert_int_equal(lock_holder(&now), waiter);
}

static void a_condition_has_none(void **state)
{
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, waits_for_condition, NULL);
    struct census_thread now = blocked();
    assert_int_equal(lock_holder(&now), 0);
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

static void nor_has_what_cannot_be_read(void **state)
{
    const struct census_thread thread = {.pid = getpid(),
                                         .tid = getpid(),
                                         .syscall = SYS_futex,
                                         .arg = {8, 0x80, 2}};

    (void)state;
    assert_int_equal(lock_holder(&thread), 0);
}

static void a_thread_that_has_ended_is_none(void **state)
{
    struct census_thread thread;

    (void)state;
    leave_locked();
    assert_false(census_thread(getpid(), holder, &thread));
    assert_true(census_thread(getpid(), getpid(), &thread));
}

#define LOCK_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOCK_TEST(a_lock_has_a_holder),
        LOCK_TEST(who_has_ended_holds_it_still),
        LOCK_TEST(a_thread_may_wait_for_its_own),
        LOCK_TEST(a_condition_has_none),
        LOCK_TEST(nor_has_what_cannot_be_read),
        LOCK_TEST(a_thread_that_has_ended_is_none),
    };

    unit_begin();
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL) != 0;
}
