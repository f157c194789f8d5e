/* Size and offsets of every ABI struct, as the compiler must see them in C and in C++. A line here
 * may be added (a field at the end of a struct, with the new size) and never changed: that would
 * break every driver that is already built. Pointers of other widths give other numbers, so only
 * LP64 machines are held to them.
 */
#ifndef BKHOST_ABI_LAYOUT_H
#define BKHOST_ABI_LAYOUT_H

#include <assert.h>
#include <bkhost/dumper.h>
#include <bkhost/extract.h>
#include <bkhost/sanitizer.h>
#include <bkhost/storage.h>
#include <bkhost/transform.h>

#define SIZE(type, size) static_assert(sizeof(type) == (size), "size of " #type)
#define AT(type, field, offset) \
    static_assert(offsetof(type, field) == (offset), "offset of " #type "." #field)

/* clang-format off */
#if defined(__LP64__)

SIZE(bk_error, 824);
AT(bk_error, struct_size, 0);
AT(bk_error, flags, 4);
AT(bk_error, status, 8);
AT(bk_error, retry_after_ms, 12);
AT(bk_error, native_code, 16);
AT(bk_error, native_domain, 24);
AT(bk_error, message, 56);
AT(bk_error, hint, 568);

SIZE(bk_source, 24);
AT(bk_source, struct_size, 0);
AT(bk_source, flags, 4);
AT(bk_source, ctx, 8);
AT(bk_source, read, 16);

SIZE(bk_option, 48);
AT(bk_option, struct_size, 0);
AT(bk_option, type, 4);
AT(bk_option, flags, 8);
AT(bk_option, since_minor, 12);
AT(bk_option, key, 16);
AT(bk_option, default_value, 24);
AT(bk_option, allowed, 32);
AT(bk_option, help, 40);

SIZE(bk_config, 40);
AT(bk_config, struct_size, 0);
AT(bk_config, flags, 4);
AT(bk_config, ctx, 8);
AT(bk_config, count, 16);
AT(bk_config, get_str, 24);
AT(bk_config, get_int, 32);

SIZE(bk_host, 64);
AT(bk_host, struct_size, 0);
AT(bk_host, abi_major, 4);
AT(bk_host, abi_minor, 6);
AT(bk_host, ctx, 8);
AT(bk_host, log, 16);
AT(bk_host, is_cancelled, 24);
AT(bk_host, progress, 32);
AT(bk_host, get_secret, 40);
AT(bk_host, warn, 48);
AT(bk_host, get_extension, 56);

SIZE(bk_component, 72);
AT(bk_component, struct_size, 0);
AT(bk_component, thread_model, 4);
AT(bk_component, name, 8);
AT(bk_component, interface_id, 16);
AT(bk_component, summary, 24);
AT(bk_component, options, 32);
AT(bk_component, option_count, 40);
AT(bk_component, flags, 44);
AT(bk_component, schemes, 48);
AT(bk_component, vtable, 56);
AT(bk_component, get_extension, 64);

SIZE(bk_module, 88);
AT(bk_module, struct_size, 0);
AT(bk_module, abi_major, 4);
AT(bk_module, abi_minor, 6);
AT(bk_module, id, 8);
AT(bk_module, version, 16);
AT(bk_module, summary, 24);
AT(bk_module, vendor, 32);
AT(bk_module, license, 40);
AT(bk_module, url, 48);
AT(bk_module, components, 56);
AT(bk_module, component_count, 64);
AT(bk_module, flags, 68);
AT(bk_module, init, 72);
AT(bk_module, fini, 80);

SIZE(bk_in, 24);
AT(bk_in, data, 0);
AT(bk_in, len, 8);
AT(bk_in, pos, 16);

SIZE(bk_out, 24);
AT(bk_out, data, 0);
AT(bk_out, cap, 8);
AT(bk_out, pos, 16);

SIZE(bk_transform, 48);
AT(bk_transform, struct_size, 0);
AT(bk_transform, flags, 4);
AT(bk_transform, create, 8);
AT(bk_transform, destroy, 16);
AT(bk_transform, process, 24);
AT(bk_transform, memory, 32);
AT(bk_transform, interrupt, 40);

SIZE(bk_transform_file, 32);
AT(bk_transform_file, struct_size, 0);
AT(bk_transform_file, magic_len, 4);
AT(bk_transform_file, magic, 8);
AT(bk_transform_file, suffix, 16);
AT(bk_transform_file, decode_command, 24);

SIZE(bk_encryptor_keys, 32);
AT(bk_encryptor_keys, struct_size, 0);
AT(bk_encryptor_keys, flags, 4);
AT(bk_encryptor_keys, fingerprints, 8);
AT(bk_encryptor_keys, generate, 16);
AT(bk_encryptor_keys, public_keys, 24);

SIZE(bk_encryptor_seek, 32);
AT(bk_encryptor_seek, struct_size, 0);
AT(bk_encryptor_seek, flags, 4);
AT(bk_encryptor_seek, header_size, 8);
AT(bk_encryptor_seek, seek, 16);
AT(bk_encryptor_seek, stored_end, 24);

SIZE(bk_storage_props, 40);
AT(bk_storage_props, struct_size, 0);
AT(bk_storage_props, capabilities, 4);
AT(bk_storage_props, min_part_size, 8);
AT(bk_storage_props, max_part_size, 16);
AT(bk_storage_props, max_parts, 24);
AT(bk_storage_props, parallel_parts, 28);
AT(bk_storage_props, max_object_size, 32);

SIZE(bk_object, 152);
AT(bk_object, struct_size, 0);
AT(bk_object, flags, 4);
AT(bk_object, size, 8);
AT(bk_object, modified_ms, 16);
AT(bk_object, version, 24);

SIZE(bk_put_options, 48);
AT(bk_put_options, struct_size, 0);
AT(bk_put_options, condition, 4);
AT(bk_put_options, if_version, 8);
AT(bk_put_options, content_type, 16);
AT(bk_put_options, storage_class, 24);
AT(bk_put_options, tags, 32);
AT(bk_put_options, retain_until_ms, 40);

SIZE(bk_part, 152);
AT(bk_part, struct_size, 0);
AT(bk_part, number, 4);
AT(bk_part, offset, 8);
AT(bk_part, size, 16);
AT(bk_part, token, 24);

SIZE(bk_storage, 152);
AT(bk_storage, struct_size, 0);
AT(bk_storage, flags, 4);
AT(bk_storage, create, 8);
AT(bk_storage, destroy, 16);
AT(bk_storage, props, 24);
AT(bk_storage, interrupt, 32);
AT(bk_storage, probe, 40);
AT(bk_storage, put, 48);
AT(bk_storage, upload_begin, 56);
AT(bk_storage, upload_part, 64);
AT(bk_storage, upload_commit, 72);
AT(bk_storage, upload_abort, 80);
AT(bk_storage, upload_free, 88);
AT(bk_storage, read_open, 96);
AT(bk_storage, read, 104);
AT(bk_storage, read_close, 112);
AT(bk_storage, stat, 120);
AT(bk_storage, list, 128);
AT(bk_storage, remove_many, 136);
AT(bk_storage, copy, 144);

SIZE(bk_storage_uploads, 16);
AT(bk_storage_uploads, struct_size, 0);
AT(bk_storage_uploads, flags, 4);
AT(bk_storage_uploads, abort_stale, 8);

SIZE(bk_storage_usage, 16);
AT(bk_storage_usage, struct_size, 0);
AT(bk_storage_usage, flags, 4);
AT(bk_storage_usage, free_space, 8);

SIZE(bk_section, 56);
AT(bk_section, struct_size, 0);
AT(bk_section, phase, 4);
AT(bk_section, step, 8);
AT(bk_section, flags, 12);
AT(bk_section, kind, 16);
AT(bk_section, namespace_name, 24);
AT(bk_section, name, 32);
AT(bk_section, depends, 40);
AT(bk_section, size_hint, 48);

SIZE(bk_fragment, 32);
AT(bk_fragment, struct_size, 0);
AT(bk_fragment, flags, 4);
AT(bk_fragment, rows, 8);
AT(bk_fragment, digest, 16);

SIZE(bk_dump_sink, 56);
AT(bk_dump_sink, struct_size, 0);
AT(bk_dump_sink, fragment_target, 4);
AT(bk_dump_sink, ctx, 8);
AT(bk_dump_sink, section, 16);
AT(bk_dump_sink, write, 24);
AT(bk_dump_sink, cut, 32);
AT(bk_dump_sink, meta, 40);
AT(bk_dump_sink, proof, 48);

SIZE(bk_unit, 32);
AT(bk_unit, struct_size, 0);
AT(bk_unit, flags, 4);
AT(bk_unit, phase, 8);
AT(bk_unit, number, 12);
AT(bk_unit, size_hint, 16);
AT(bk_unit, label, 24);

SIZE(bk_load_unit, 120);
AT(bk_load_unit, struct_size, 0);
AT(bk_load_unit, flags, 4);
AT(bk_load_unit, archive_id, 8);
AT(bk_load_unit, section, 16);
AT(bk_load_unit, frame_no, 72);
AT(bk_load_unit, section_offset, 80);
AT(bk_load_unit, size, 88);
AT(bk_load_unit, rows, 96);
AT(bk_load_unit, digest, 104);

SIZE(bk_dumper, 112);
AT(bk_dumper, struct_size, 0);
AT(bk_dumper, flags, 4);
AT(bk_dumper, create, 8);
AT(bk_dumper, destroy, 16);
AT(bk_dumper, interrupt, 24);
AT(bk_dumper, probe, 32);
AT(bk_dumper, inspect, 40);
AT(bk_dumper, dump_begin, 48);
AT(bk_dumper, plan, 56);
AT(bk_dumper, dump, 64);
AT(bk_dumper, dump_end, 72);
AT(bk_dumper, load_begin, 80);
AT(bk_dumper, loaded, 88);
AT(bk_dumper, load, 96);
AT(bk_dumper, load_end, 104);

SIZE(bk_random_source, 32);
AT(bk_random_source, struct_size, 0);
AT(bk_random_source, flags, 4);
AT(bk_random_source, ctx, 8);
AT(bk_random_source, size, 16);
AT(bk_random_source, read_at, 24);

SIZE(bk_dumper_extract, 24);
AT(bk_dumper_extract, struct_size, 0);
AT(bk_dumper_extract, flags, 4);
AT(bk_dumper_extract, names, 8);
AT(bk_dumper_extract, extract, 16);

SIZE(bk_sanitizer, 40);
AT(bk_sanitizer, struct_size, 0);
AT(bk_sanitizer, flags, 4);
AT(bk_sanitizer, create, 8);
AT(bk_sanitizer, destroy, 16);
AT(bk_sanitizer, expression, 24);
AT(bk_sanitizer, suggest, 32);

SIZE(bk_sanitizer_value, 16);
AT(bk_sanitizer_value, struct_size, 0);
AT(bk_sanitizer_value, flags, 4);
AT(bk_sanitizer_value, mask, 8);

#endif

/* Codes that travel between host and driver. */
static_assert(BK_OK == 0 && BK_END == 1 && BK_NEED_OUTPUT == 2, "results");
static_assert(BK_E_INTERNAL == 16 && BK_E_CANCELLED == 17 && BK_E_CONFIG == 18, "status codes");
static_assert(BK_E_INVALID == 19 && BK_E_NOT_FOUND == 20 && BK_E_EXISTS == 21, "status codes");
static_assert(BK_E_DENIED == 22 && BK_E_UNAVAILABLE == 23 && BK_E_TIMEOUT == 24, "status codes");
static_assert(BK_E_CORRUPT == 25 && BK_E_NO_SPACE == 26 && BK_E_UNSUPPORTED == 27, "status codes");
static_assert(BK_E_BUSY == 28 && BK_E_NO_MEMORY == 29, "status codes");
static_assert(BK_ERR_RETRYABLE == 1 && BK_ERR_PARTIAL == 2, "error flags");
static_assert(BK_OPT_STRING == 0 && BK_OPT_BOOL == 1 && BK_OPT_INT == 2, "option types");
static_assert(BK_OPT_SIZE == 3, "option types");
static_assert(BK_OPT_DURATION == 4 && BK_OPT_ENUM == 5 && BK_OPT_PATH == 6, "option types");
static_assert(BK_OPT_SECRET == 7 && BK_OPT_JSON == 8, "option types");
static_assert(BK_PHASE_PROLOGUE == 0 && BK_PHASE_PRE == 1 && BK_PHASE_DATA == 2, "phases");
static_assert(BK_PHASE_POST == 3 && BK_PHASE_EPILOGUE == 4 && BK_PHASE_META == 5, "phases");
/* clang-format on */

#undef SIZE
#undef AT

#endif
