#include "host/command_line.hpp"

#include "host/commands/commands.hpp"
#include "host/render/error_text.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace bkhost {
namespace {

/// The options live as long as the invocation: the verb's function owns them.
template <class Options>
using Shared = std::shared_ptr<Options>;

class Builder {
public:
    Builder(CLI::App& app, Invocation& invocation) : app_(app), invocation_(invocation) {
        app_.require_subcommand(1);
        app_.fallthrough();
        app_.set_version_flag("--version", std::string("bkhost ") + BKHOST_VERSION);
        GlobalOptions& g = invocation_.globals;
        app_.add_option("--config", g.config, "Configuration file")->type_name("FILE");
        app_.add_option("--environment", g.environment,
                        "Label of the environment, above the configuration's")
            ->type_name("LABEL");
        app_.add_option("--plugin-dir", g.plugin_dirs, "Search drivers here first; may be repeated")
            ->type_name("DIR")
            ->expected(1)
            ->take_all();
        app_.add_flag("--json", g.json, "One JSON document on standard output");
        app_.add_option("--progress", g.progress, "auto, plain, json or none")
            ->type_name("MODE")
            ->check(CLI::IsMember({"auto", "plain", "json", "none"}));
        auto* quiet = app_.add_flag("-q,--quiet", g.quiet, "Warnings and errors only");
        app_.add_flag("-v,--verbose", g.verbose, "More messages")->excludes(quiet);
        add_init();
        add_run();
        add_list();
        add_restore();
        add_verify();
        add_reindex();
        add_cat();
        add_delete();
        add_plugin();
        add_key();
        add_catalog();
        app_.footer(
            "'bkhost VERB --help' explains a verb. Exit status: 0 done, 1 failed, 2 wrong use,\n"
            "3 some of it failed, 4 damage found, 75 busy, 130 and 143 cancelled.");
    }

private:
    template <class Options, class Function>
    void call(CLI::App* verb, Shared<Options> options, Function function) {
        verb->callback([this, options, function] {
            invocation_.run = [options, function](Session& session) {
                return function(session, *options);
            };
        });
    }
    CLI::App* verb(const char* name, const char* help) { return app_.add_subcommand(name, help); }

    static void add_choice(CLI::App* verb, BackupChoice& choice) {
        verb->add_option("BACKUP", choice.id,
                         "Id, the beginning of one, or 'latest'; without it a list to choose from");
        verb->add_option("--backup", choice.id, "The same as BACKUP")->type_name("ID");
        verb->add_option("--source", choice.source, "'latest' and the list: of this source only")
            ->type_name("NAME");
        verb->add_option("--storage", choice.storage,
                         "Read from this storage (name, URL or directory)")
            ->type_name("STORAGE");
    }
    static void add_identities(CLI::App* verb, BackupChoice& choice) {
        verb->add_option("--identity", choice.identities,
                         "Key file to decrypt with; may be repeated")
            ->type_name("FILE")
            ->expected(1)
            ->take_all();
    }
    static void add_memory(CLI::App* verb, std::string& memory) {
        verb->add_option("--memory", memory, "Memory budget (96MiB)")->type_name("SIZE");
    }

    void add_init() {
        auto path = std::make_shared<std::string>("bkhost.yaml");
        CLI::App* init = verb("init", "Write a commented configuration to start from");
        init->add_option("FILE", *path, "Where (bkhost.yaml); never overwrites");
        call(init, path, init_command);
        call(verb("check", "Check the configuration without touching databases or storages"),
             std::make_shared<int>(0),
             [](Session& session, int) { return check_command(session); });
        auto jobs = std::make_shared<std::vector<std::string>>();
        CLI::App* doctor = verb("doctor", "Look whether all is there that a backup needs");
        doctor->add_option("JOB", *jobs, "What these jobs need; everything without any");
        call(doctor, jobs, doctor_command);
    }
    void add_run() {
        auto o = std::make_shared<RunOptions>();
        CLI::App* run =
            verb("run", "Back up: configured jobs, or --from one database --to storages");
        run->add_option("JOB", o->jobs, "Jobs of the configuration; all of them without any");
        run->add_option("--from", o->from, "What to back up: sqlite:/path/to.db")->type_name("URL");
        run->add_option("--to", o->to, "Storage: a name, URL or directory; may be repeated")
            ->type_name("STORAGE")
            ->expected(1)
            ->take_all();
        run->add_option("--encrypt", o->encrypt, "age:RECIPIENT, aes256gcm:KEY_FILE, or none")
            ->type_name("CIPHER");
        run->add_option("--compress", o->compress, "zstd:9, gzip:6, or none (zstd)")
            ->type_name("CODEC");
        run->add_option("--name", o->name, "Name of the source, with --from")->type_name("NAME");
        add_memory(run, o->memory);
        run->add_option("--volume-size", o->volume_size, "Close an object at this size (64GiB)")
            ->type_name("SIZE");
        run->add_option("--workers", o->workers, "Compressors and units at once (number of cores)")
            ->check(CLI::Range(1, 64));
        run->add_option("--max-rate", o->max_rate,
                        "Bytes a second to all storages together, 20MiB, or unlimited")
            ->type_name("SIZE");
        run->add_option("--timeout", o->timeout,
                        "Give a job up after 2h, all its attempts included, or unlimited")
            ->type_name("DURATION");
        run->add_option("--retries", o->retries,
                        "Further attempts after a failure that may pass (0)")
            ->check(CLI::Range(0u, kMaxRetries));
        run->add_option("--notes", o->notes, "Kept in the catalog")->type_name("TEXT");
        call(run, o, run_command);
    }
    void add_list() {
        auto o = std::make_shared<ListOptions>();
        CLI::App* list = verb("list", "Backups of this environment, newest first");
        list->add_option("--source", o->source, "Of this source only")->type_name("NAME");
        list->add_option("--job", o->job, "Of this job only")->type_name("NAME");
        list->add_option("--storage", o->storage, "With a copy on this storage")->type_name("NAME");
        list->add_flag("--all", o->all, "Every environment, deleted ones too");
        list->add_option("--limit", o->limit, "At most so many")->check(CLI::PositiveNumber);
        call(list, o, list_command);

        auto id = std::make_shared<std::string>();
        CLI::App* show = verb("show", "Everything that is known of one backup");
        show->add_option("BACKUP", *id, "Id or the beginning of one")->required();
        call(show, id, show_command);
    }
    void add_restore() {
        auto o = std::make_shared<RestoreOptions>();
        CLI::App* restore = verb("restore", "Bring a backup back");
        add_choice(restore, o->choice);
        add_identities(restore, o->choice);
        restore->add_option("--to", o->to, "Target: a source of the configuration, or a URL")
            ->type_name("TARGET");
        restore
            ->add_option("--tables", o->tables,
                         "Only these, by comma; may be repeated. \"a, b\" in quotes is one name")
            ->type_name("NAMES")
            ->expected(1)
            ->take_all();
        restore->add_flag("--replace", o->replace,
                          "Replace what is there; with --tables, of these");
        restore->add_flag("--force", o->force, "Ask no question");
        restore->add_flag("--dry-run", o->dry_run,
                          "Only show what would be restored, over what, and how long it takes");
        restore->add_flag("--sequential", o->sequential,
                          "Without the index, from the first byte to the last (a damaged index)");
        add_memory(restore, o->memory);
        restore->add_option("--workers", o->workers, "Decompressors at once (number of cores)")
            ->check(CLI::Range(1, 64));
        restore->add_option("--notes", o->notes, "Kept in the catalog")->type_name("TEXT");
        call(restore, o, restore_command);
    }
    void add_verify() {
        auto o = std::make_shared<VerifyOptions>();
        CLI::App* verify = verb("verify", "Look whether the copies of a backup are good");
        add_choice(verify, o->choice);
        add_identities(verify, o->choice);
        verify
            ->add_option(
                "--level", o->level,
                "quick: manifest and sizes; stored: every stored byte; full: decoded (stored)")
            ->check(CLI::IsMember({"quick", "stored", "full"}));
        add_memory(verify, o->memory);
        call(verify, o, verify_command);
    }
    void add_reindex() {
        auto o = std::make_shared<ReindexOptions>();
        CLI::App* reindex = verb("reindex", "Make a damaged or lost index anew from the volumes");
        add_choice(reindex, o->choice);
        add_identities(reindex, o->choice);
        reindex
            ->add_option("--encrypt", o->encrypt,
                         "age:RECIPIENT, one of the backup's own (as its job is configured)")
            ->type_name("CIPHER");
        call(reindex, o, reindex_command);
    }
    void add_cat() {
        auto o = std::make_shared<CatOptions>();
        CLI::App* cat = verb("cat", "Write the decoded dump to standard output");
        add_choice(cat, o->choice);
        add_identities(cat, o->choice);
        add_memory(cat, o->memory);
        call(cat, o, cat_command);
    }
    void add_delete() {
        auto o = std::make_shared<DeleteOptions>();
        CLI::App* remove = verb("delete", "Delete backups and their archives for good");
        remove->add_option("BACKUP", o->ids, "Ids or the beginnings of some")->required();
        remove
            ->add_option("--storage", o->storage,
                         "Delete the copy on this storage alone; never the last good one")
            ->type_name("STORAGE");
        remove->add_flag("--force", o->force, "Ask no question");
        remove->footer("Refused while a backup runs or is being restored, and while another one "
                       "builds on it.\nWhat a storage that does not answer still holds is removed "
                       "later: the backup stays\n'deleting' until then, and the exit status is 3.");
        call(remove, o, delete_command);
    }
    void add_plugin() {
        CLI::App* plugin = verb("plugin", "Drivers that are installed");
        plugin->require_subcommand(1);
        auto broken = std::make_shared<bool>(false);
        CLI::App* list = plugin->add_subcommand("list", "Drivers and plugins");
        list->add_flag("--broken", *broken, "Only plugins that cannot be used, and why");
        call(list, broken, plugin_list_command);
        auto name = std::make_shared<std::string>();
        CLI::App* show = plugin->add_subcommand("show", "A driver's options, or a plugin");
        show->add_option("NAME", *name, "Driver, kind:driver, module id or file")->required();
        call(show, name, plugin_show_command);
    }
    void add_key() {
        CLI::App* key = verb("key", "Keys of an encryptor");
        key->require_subcommand(1);
        auto made = std::make_shared<KeyOptions>();
        CLI::App* generate = key->add_subcommand("generate", "Make a new key");
        generate->add_option("--driver", made->driver, "Encryptor (age)")->type_name("NAME");
        generate
            ->add_option("-o,--output", made->file, "Key file to make; standard output without it")
            ->type_name("FILE");
        call(generate, made, key_generate_command);
        auto shown = std::make_shared<KeyOptions>();
        CLI::App* show = key->add_subcommand("show", "The public keys of a key file");
        show->add_option("--driver", shown->driver, "Encryptor (age)")->type_name("NAME");
        show->add_option("FILE", shown->file, "Key file")->required();
        call(show, shown, key_show_command);
    }
    void add_catalog() {
        CLI::App* catalog = verb("catalog", "The history of backups");
        catalog->require_subcommand(1);
        auto storages = std::make_shared<std::vector<std::string>>();
        CLI::App* rebuild =
            catalog->add_subcommand("rebuild", "Read the archives of storages into it");
        rebuild
            ->add_option(
                "--from-storage", *storages,
                "Storage: a name, URL or directory; may be repeated (all of the configuration)")
            ->type_name("STORAGE")
            ->expected(1)
            ->take_all();
        call(rebuild, storages, catalog_rebuild_command);
        call(catalog->add_subcommand("check", "Look for damage and contradictions"),
             std::make_shared<int>(0),
             [](Session& session, int) { return catalog_check_command(session); });
    }

    CLI::App& app_;
    Invocation& invocation_;
};

} // namespace

std::optional<Invocation> parse_command_line(int argc, char** argv, int& status) {
    CLI::App app("Backs databases up, brings them back, and knows that both will work.", "bkhost");
    Invocation invocation;
    const Builder builder(app, invocation);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        status = app.exit(error, std::cout, std::cerr) == 0 ? kExitDone : kExitUsage;
        return std::nullopt;
    }
    return invocation;
}

} // namespace bkhost
