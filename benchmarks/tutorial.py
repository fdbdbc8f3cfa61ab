"""The server of the tutorials: FastAPI, a WebSocket handler, and LangChain's stream inside it.

Nothing is stored, nobody logs in, and what a lost connection misses is lost. Run by uvicorn.
"""

import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from langchain_openai import ChatOpenAI

app = FastAPI()
model = ChatOpenAI(model="fake", base_url=os.environ["OPENAI_BASE_URL"], api_key=lambda: "none")


@app.websocket("/ws")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            prompt = await socket.receive_text()
            async for chunk in model.astream(prompt):
                await socket.send_json({"type": "token", "text": chunk.text})
            await socket.send_json({"type": "end"})
    except WebSocketDisconnect:
        return
