/* A sanitizer in plain C: replaces a column by NULL. The tables of the ABI are filled in by hand
 * here; the C++ headers do no more than that. The contract of each call is in <bkhost/sanitizer.h>.
 */
#include <bkhost/note.h>
#include <bkhost/sanitizer.h>

#include <stdio.h>
#include <string.h>

static bk_status fail(bk_error* error, bk_status status, const char* message) {
    const uint32_t size = error->struct_size;
    memset(error, 0, sizeof *error);
    error->struct_size = size;
    error->status = status;
    snprintf(error->message, sizeof error->message, "%s", message);
    return status;
}

/* Whether the column's JSON says "nullable": false. */
static int never_null(const char* column) {
    const char* at = column;
    while ((at = strstr(at, "\"nullable\"")) != NULL) {
        at += strlen("\"nullable\"");
        const char* value = at + strspn(at, " \t\r\n");
        if (*value != ':') continue; /* a text that happens to read so */
        value += 1 + strspn(value + 1, " \t\r\n");
        return strncmp(value, "false", 5) == 0;
    }
    return 0;
}

static int instance; /* it has no state: every handle is the same one */

static bk_status create(const bk_host* host, const bk_config* config, void** self,
                        bk_error* error) {
    (void)host, (void)config, (void)error;
    *self = &instance;
    return BK_OK;
}
static void destroy(void* self) { (void)self; }

static bk_status expression(void* self, const char* dialect, const char* column, bk_text_fn emit,
                            void* ctx, bk_error* error) {
    (void)self, (void)dialect;
    if (never_null(column))
        return fail(error, BK_E_UNSUPPORTED, "null: the column cannot hold NULL");
    return emit(ctx, "NULL", 4);
}
static bk_status suggest(void* self, const char* column, int32_t* score, bk_error* error) {
    (void)self, (void)column, (void)error;
    *score = 0; /* never without being asked for */
    return BK_OK;
}

static const bk_sanitizer table = {sizeof(bk_sanitizer), 0, create, destroy, expression, suggest};
static const bk_component component = {
    .struct_size = sizeof(bk_component),
    .thread_model = BK_THREADS_PARALLEL,
    .name = "null",
    .interface_id = BK_SANITIZER_ID,
    .summary = "replaces a column by NULL",
    .schemes = "",
    .vtable = &table,
};
static const bk_component* const components[] = {&component};
static const bk_module module = {
    .struct_size = sizeof(bk_module),
    .abi_major = BK_ABI_MAJOR,
    .abi_minor = BK_ABI_MINOR,
    .id = "org.example.null-mask",
    .version = "0.1.0",
    .summary = "a mask that leaves nothing",
    .vendor = "example",
    .license = "MIT",
    .url = "",
    .components = components,
    .component_count = 1,
};

BK_DEFINE_NOTE("org.example.null-mask", "0.1.0", "sanitizer:null:\n")

const bk_module* bk_module_v0(void) { return &module; }
