from django.db import migrations

SEARCHED_CHARS = 100_000
BATCH = 500


def fill(apps, schema_editor):
    Conversation = apps.get_model("conversations", "Conversation")
    Message = apps.get_model("conversations", "Message")
    SearchText = apps.get_model("conversations", "SearchText")

    def title(row):
        return SearchText(
            owner_id=row.owner_id,
            conversation_id=row.pk,
            text=row.title,
            created_at=row.created_at,
        )

    def message(row):
        said = "".join(block["text"] for block in row.content if block.get("type") == "text")
        return said and SearchText(
            owner_id=row.conversation.owner_id,
            conversation_id=row.conversation_id,
            message_id=row.pk,
            text=said[:SEARCHED_CHARS],
            created_at=row.created_at,
        )

    add_all(SearchText, map(title, Conversation.objects.order_by("created_at").iterator()))
    messages = Message.objects.select_related("conversation").order_by("created_at")
    add_all(SearchText, filter(None, map(message, messages.iterator())))


def add_all(model, rows):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            model.objects.bulk_create(batch)
            batch = []
    model.objects.bulk_create(batch)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
